import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { Screen } from '../demo/screen.ts';
import { operatorEnvironment, PROGRAMS, type Surroundings } from '../stack/environment.ts';
import { arrivedCall, deliveryTold } from '../stack/arrived.ts';
import { showCall } from '../demo/report.ts';
import type { Stack } from '../stack/stack.ts';

const SPEED = 8;
const ARRIVES_MS = 120_000;

/** Says where everything is, then places a call for each line of input that names a dialogue, until the signal. */
export async function takeOrders(stack: Stack, screen: Screen, input: Readable, signal: AbortSignal): Promise<void> {
  sayWhere(stack, screen);
  const lines = createInterface({ input });
  lines.on('line', (line) => void order(stack, screen, line.trim(), signal));
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
  lines.close();
}

async function order(stack: Stack, screen: Screen, line: string, signal: AbortSignal): Promise<void> {
  const id = line === '' ? 'he-renovation' : line;
  if (!dialogueIds(stack).includes(id)) {
    screen.line(`there is no dialogue ${JSON.stringify(id)}; there are: ${dialogueIds(stack).join(', ')}`);
    return;
  }
  try {
    const call = await stack.placeCall(id, { speed: SPEED });
    screen.line(`☎  ${call.callSid}: ${id}`);
    await call.ended;
    const arrived = await arrivedCall(stack, call.callSid, ARRIVES_MS);
    await deliveryTold(stack, call.callSid);
    showCall(screen, { ...arrived, dialogueId: id });
    screen.line();
  } catch (error) {
    if (!signal.aborted) screen.line(screen.colors.red(error instanceof Error ? error.message : String(error)));
  }
}

function sayWhere(stack: Stack, screen: Screen): void {
  const { nats, mongo, receiver, telephone, provider, fleet, surroundings } = stack;
  const rows = [
    ['NATS', nats.url],
    ['MongoDB', mongo.url],
    ['webhook receiver', receiver.url],
    ['telephone REST', telephone.url],
    ['AI provider', provider.url],
    ...PROGRAMS.map((service) => [service, `${fleet.of(service)[0]?.healthUrl}/health/ready  and  /metrics`]),
  ];
  screen.line();
  for (const [name = '', where = ''] of rows) screen.line(`  ${name.padEnd(20)} ${where}`);
  screen.line();
  screen.line('For callctl in another terminal:');
  for (const line of exportLines(surroundings)) screen.line(`  ${line}`);
  screen.line();
  screen.line(
    `Press Enter to place a call (he-renovation), or type the name of a dialogue: ${dialogueIds(stack).join(', ')}`,
  );
  screen.line('Ctrl-C stops everything.');
  screen.line();
}

/** What a shell needs to run `callctl` against this stack: an address, a user and a password of each server, and the key for secrets. */
function exportLines(surroundings: Surroundings): string[] {
  const variables = Object.entries(operatorEnvironment('callctl', surroundings));
  return ['MONGO_', 'NATS_', 'SETTINGS_KEYS', 'WEBHOOK_', 'NODE_ENV'].map((server) => {
    const set = variables.filter(([name, value]) => name.startsWith(server) && value !== '');
    return `export ${set.map(([name, value]) => `${name}='${value}'`).join(' ')}`;
  });
}

function dialogueIds({ dialogues, interruptions }: Stack): string[] {
  return [...dialogues, ...interruptions].map((dialogue) => dialogue.id);
}
