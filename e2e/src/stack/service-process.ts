import { setTimeout as wait } from 'node:timers/promises';
import { startProcess } from '@pipeline/sandbox/servers';

/** One line that a service wrote. `fields` is the parsed JSON; a line that is no JSON has none. */
export type ServiceLine = {
  readonly service: string;
  readonly instance: string;
  readonly level: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
};

export type ServiceCommand = {
  readonly service: string;
  /** Unique among the processes of a stack; becomes POD_NAME. */
  readonly instance: string;
  /** The file that Node runs. */
  readonly entry: string;
  /** Modules loaded before it, for tests that sabotage a service. */
  readonly preload?: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly onLine: (line: ServiceLine) => void;
};

/** One running service. */
export type ServiceProcess = {
  readonly service: string;
  readonly instance: string;
  readonly pid: number;
  /** `http://127.0.0.1:<port>` of health and metrics. */
  readonly healthUrl: string;
  /** The port that a log line named, for services that also listen for work. */
  portOf(message: string): Promise<number>;
  /** Resolves when `/health/ready` answers 200; rejects with what it last said after `timeoutMs`, or when the process ended. */
  ready(timeoutMs: number): Promise<void>;
  isAlive(): boolean;
  /** SIGTERM; resolves with the exit code. */
  stop(): Promise<number | null>;
  /** SIGKILL. */
  kill(): Promise<void>;
  readonly ended: Promise<number | null>;
};

const BOOT_MS = 20_000;
const STOP_GRACE_MS = 20_000;

/** Starts a service as a process of its own, with an exact environment. Resolves when its health port answers. */
export async function startService(command: ServiceCommand): Promise<ServiceProcess> {
  const ports = createPortWatch();
  const lines = createLineReader(command, (line) => {
    ports.see(line);
    command.onLine(line);
  });
  const preload = (command.preload ?? []).flatMap((module) => ['--import', module]);
  const running = await startProcess({
    file: process.execPath,
    args: [...preload, command.entry],
    cwd: '/',
    environment: { ...command.environment, POD_NAME: command.instance },
    onOutput: lines,
  });
  const died = running.ended.then((code) => {
    throw new Error(`${command.instance} ended with ${code} while it was waited for:\n${running.output()}`);
  });
  died.catch(() => undefined);
  const within = <T>(work: Promise<T>): Promise<T> => Promise.race([work, died]);
  const healthUrl = `http://127.0.0.1:${await within(ports.portOf('health and metrics answer'))}`;
  return {
    service: command.service,
    instance: command.instance,
    pid: running.pid,
    healthUrl,
    portOf: (message) => within(ports.portOf(message)),
    ready: (timeoutMs) => within(waitUntilReady(healthUrl, command.instance, timeoutMs)),
    isAlive: running.isAlive,
    stop: async () => {
      await running.end(STOP_GRACE_MS);
      return running.ended;
    },
    kill: running.kill,
    ended: running.ended,
  };
}

async function waitUntilReady(healthUrl: string, instance: string, timeoutMs: number): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  let last = 'no answer';
  while (performance.now() < deadline) {
    const response = await fetch(`${healthUrl}/health/ready`, { signal: AbortSignal.timeout(2_000) }).catch(() => null);
    if (response?.ok === true) return;
    last = response === null ? 'no answer' : await response.text();
    await wait(40);
  }
  throw new Error(`${instance} is not ready after ${timeoutMs} ms: ${last}`);
}

/** Remembers the `port` field of log lines by their message. */
function createPortWatch() {
  const seen = new Map<string, number>();
  const waiting = new Map<string, (port: number) => void>();
  return {
    see: ({ message, fields }: ServiceLine): void => {
      const { port } = fields;
      if (typeof port !== 'number') return;
      seen.set(message, port);
      waiting.get(message)?.(port);
    },
    portOf: (message: string): Promise<number> => {
      const limit = AbortSignal.timeout(BOOT_MS);
      return new Promise((resolve, reject) => {
        const known = seen.get(message);
        if (known !== undefined) return resolve(known);
        waiting.set(message, resolve);
        limit.addEventListener('abort', () => reject(new Error(`no line "${message}" within ${BOOT_MS} ms`)));
      });
    },
  };
}

/** Cuts output into lines and parses the JSON of pino; anything else is a line without fields. */
function createLineReader(command: ServiceCommand, onLine: (line: ServiceLine) => void): (chunk: Buffer) => void {
  const decoder = new TextDecoder();
  let rest = '';
  return (chunk) => {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = (parts.pop() ?? '').slice(-1_000_000);
    for (const text of parts.filter((part) => part.trim() !== '')) onLine(parseLine(command, text));
  };
}

function parseLine(command: ServiceCommand, text: string): ServiceLine {
  const fields = parseJson(text);
  const level = typeof fields['level'] === 'string' ? fields['level'] : 'error';
  const message = typeof fields['msg'] === 'string' ? fields['msg'] : text;
  return { service: command.service, instance: command.instance, level, message, fields };
}

function parseJson(text: string): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null ? { ...parsed } : {};
  } catch {
    return {};
  }
}
