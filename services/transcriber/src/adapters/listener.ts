import { Worker } from 'node:worker_threads';
import { PermanentError, RetryLaterError } from '@pipeline/contracts';
import type { Listening } from '../listening.ts';
import type { Answer, Message, Problem, Task } from './listener-messages.ts';

/** {@link Listening} in a thread of its own. `close` ends the thread. */
export type Listener = Listening & { close(): Promise<void> };

/** Memory of the thread: a recording of hours takes some 20 MB of measurements, never audio. */
const LIMITS = { maxOldGenerationSizeMb: 192, maxYoungGenerationSizeMb: 8 };

type Pending = { readonly resolve: (value: unknown) => void; readonly reject: (error: unknown) => void };

/**
 * Moves the work that takes processor time to one thread, so that heartbeats, downloads and uploads go on. Tasks run side by side there, a
 * short one is not held up by a recording of hours. A task always settles when the thread has let go of its file, also after an abort.
 * A thread that dies fails what it had in hand, and the next task starts another.
 */
export function createListener(): Listener {
  const pending = new Map<number, Pending>();
  let thread: Worker | undefined;
  let next = 0;

  const failAll = (error: Error): void => {
    thread = undefined;
    for (const { reject } of pending.values()) reject(error);
    pending.clear();
  };
  const start = (): Worker => {
    const started = new Worker(new URL('./listener-thread.ts', import.meta.url), {
      env: {}, // No secret of the service is needed there.
      execArgv: [],
      resourceLimits: LIMITS,
    });
    started.on('message', (answer: Answer) => {
      const waiting = pending.get(answer.id);
      pending.delete(answer.id);
      if (answer.kind === 'done') waiting?.resolve(answer.value);
      else waiting?.reject(errorOf(answer.problem));
    });
    started.on('error', (cause) => failAll(new Error('the listening thread failed', { cause })));
    started.on('exit', () => {
      if (thread === started) failAll(new Error('the listening thread ended'));
    });
    started.unref();
    return started;
  };

  const run = async (task: Task, signal: AbortSignal): Promise<unknown> => {
    signal.throwIfAborted();
    const id = (next += 1);
    const worker = (thread ??= start());
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
    const post = (message: Message): void => worker.postMessage(message);
    const stop = (): void => post({ id, kind: 'stop' });
    signal.addEventListener('abort', stop, { once: true });
    try {
      return await new Promise<unknown>((resolve, reject) => {
        pending.set(id, { resolve, reject });
        post({ id, kind: 'task', task });
      });
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    } finally {
      signal.removeEventListener('abort', stop);
    }
  };

  return {
    // The thread answers each kind of task with the value that the same function gives here.
    survey: ({ fd, size }, signal) => run({ kind: 'survey', fd, size }, signal) as ReturnType<Listening['survey']>,
    cut: ({ fd, size }, layout, piece, signal) =>
      run({ kind: 'cut', fd, size, layout, piece }, signal) as ReturnType<Listening['cut']>,
    judge: (given, signal) => run({ kind: 'judge', given }, signal) as ReturnType<Listening['judge']>,
    close: async () => void (await thread?.terminate()),
  };
}

function errorOf(problem: Problem): Error {
  switch (problem.kind) {
    case 'permanent':
      return new PermanentError(problem.code, { message: problem.message });
    case 'later':
      return new RetryLaterError(problem.message, { deadline: problem.deadline, code: problem.code });
    case 'other':
      return new Error(problem.message);
  }
}
