import { fileURLToPath } from 'node:url';
import { startProcess } from '@pipeline/sandbox/servers';

/** The bare relay as a process of its own. */
export type BareRelay = {
  readonly mediaUrl: string;
  readonly metricsUrl: string;
  stop(): Promise<void>;
};

const STOP_MS = 5_000;
const START_MS = 10_000;

/** Starts the relay between callers and the agent at `agentUrl`. */
export async function startBareRelay(agentUrl: string): Promise<BareRelay> {
  const listening = Promise.withResolvers<number>();
  let output = '';
  const relay = await startProcess({
    file: process.execPath,
    args: [fileURLToPath(new URL('bare-relay/main.ts', import.meta.url))],
    cwd: '/',
    environment: { AGENT_URL: agentUrl.replace(/^http/, 'ws') },
    onOutput: (chunk) => {
      output += chunk.toString('utf8');
      const [, port] = /\{"port":(\d+)\}/.exec(output) ?? [];
      if (port !== undefined) listening.resolve(Number(port));
    },
  });
  void relay.ended.then((code) => listening.reject(new Error(`the relay ended with ${code}: ${relay.output()}`)));
  const limit = setTimeout(() => listening.reject(new Error('the relay does not listen')), START_MS);
  const port = await listening.promise.finally(() => clearTimeout(limit));
  return {
    mediaUrl: `ws://127.0.0.1:${port}/`,
    metricsUrl: `http://127.0.0.1:${port}/`,
    stop: () => relay.end(STOP_MS),
  };
}
