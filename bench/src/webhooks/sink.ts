import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';

/** Webhook ids and when each came, in milliseconds. */
export type Arrivals = readonly (readonly [id: string, at: number])[];

export type Sink = {
  readonly origin: string;
  /** Resolves with what came since the last call as soon as `enough` says so; rejects after `limitMs`. */
  collect(enough: (arrivals: Arrivals) => boolean, limitMs: number): Promise<Arrivals>;
  stop(): Promise<void>;
};

const LOOK_MS = 100;

/** Starts the receiver on a thread of its own, so that it waits for nothing of what is measured. */
export async function startSink(hangMs = 0): Promise<Sink> {
  const worker = new Worker(new URL('sink-thread.ts', import.meta.url), { workerData: { hangMs } });
  const [{ port }] = (await once(worker, 'message')) as [{ readonly port: number }]; // sink-thread's first message
  const look = async (): Promise<Arrivals> => {
    worker.postMessage('look', []);
    const [{ times }] = (await once(worker, 'message')) as [{ readonly times: Arrivals }]; // and all later ones
    return times;
  };
  return {
    origin: `http://127.0.0.1:${port}`,
    collect: async (enough, limitMs) => {
      const deadline = performance.now() + limitMs;
      const all: (readonly [string, number])[] = [];
      for (;;) {
        all.push(...(await look()));
        if (enough(all)) return all;
        if (performance.now() > deadline) throw new Error(`${all.length} requests within ${limitMs} ms are too few`);
        await wait(LOOK_MS);
      }
    },
    stop: async () => void (await worker.terminate()),
  };
}
