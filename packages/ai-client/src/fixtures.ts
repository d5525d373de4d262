import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json as readJson } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';
import { createPaidSteps } from '@pipeline/contracts';
import type { Question } from './question.ts';
import { createTextModel, type TextModelOptions } from './text-model.ts';

/** What the tests of text models ask. */
export const question: Question<string> = {
  name: 'greeting',
  instructions: 'Greet.',
  input: 'caller: hi',
  schema: { type: 'object', properties: { words: { type: 'string' } } },
  read: (value) => (value !== null && typeof value === 'object' && 'words' in value ? String(value.words) : undefined),
};

export type Answer = (response: ServerResponse) => void;
type Seen = { readonly url: string; readonly headers: IncomingHttpHeaders; readonly body: Record<string, unknown> };

/** Until the test ends, a provider that gives its answers one after another, the last one again and again; and a model that asks it. */
export async function startProvider(answers: readonly Answer[], options: Partial<TextModelOptions>) {
  const seen: Seen[] = [];
  const server = createServer((incoming, response) => {
    const answered = async (): Promise<void> => {
      const body = (await readJson(incoming)) as Record<string, unknown>; // The client sends objects.
      seen.push({ url: incoming.url ?? '', headers: incoming.headers, body });
      (answers[seen.length - 1] ?? answers.at(-1))?.(response);
    };
    void answered();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // Bound to a port, so it is an address and no pipe.
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const baseUrl = `http://127.0.0.1:${port}/v1`;
  const usual = { apiKey: 'sk-test', model: 'gpt-6-luna', timeoutMs: 5_000, maxOutputTokens: 99 };
  const model = createTextModel({ baseUrl, ...usual, ...options });
  const ask = <T>(asked: Question<T>, signal: AbortSignal, paid = createPaidSteps()) => model(asked, paid, signal);
  return { ask, seen };
}

/** An answer in JSON. */
export function answer(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Answer {
  return (response) =>
    void response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}
