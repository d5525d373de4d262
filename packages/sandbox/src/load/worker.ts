import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** What a process of the load can be asked for: at most one argument, one answer. */
type Commands = { readonly [command: string]: (argument: never) => unknown };

/** A process of the load, seen from the one that runs the load. */
export type Worker<C extends Commands> = {
  /** Asks; rejects when the process says no or ends. */
  ask<K extends keyof C & string>(command: K, ...argument: Parameters<C[K]>): Promise<Awaited<ReturnType<C[K]>>>;
  end(): Promise<void>;
};

type Question = { readonly id: number; readonly command: string; readonly argument: unknown };
type Answer = { readonly id: number; readonly result: unknown } | { readonly id: number; readonly problem: string };

/** Starts a process that runs `entry` and answers what {@link answerQuestions} there was given. It ends with this process. */
export function startWorker<C extends Commands>(entry: URL): Worker<C> {
  const child = fork(fileURLToPath(entry), [], {
    serialization: 'advanced',
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const waiting = new Map<number, { resolve(result: unknown): void; reject(error: Error): void }>();
  let asked = 0;
  child.on('message', (reply: Answer) => {
    const asker = waiting.get(reply.id);
    waiting.delete(reply.id);
    if ('problem' in reply) asker?.reject(new Error(reply.problem));
    else asker?.resolve(reply.result);
  });
  const ended = new Promise<void>((resolve) => {
    const onEnd = (): void => {
      for (const { reject } of waiting.values()) reject(new Error('a process of the load has ended'));
      waiting.clear();
      resolve();
    };
    child.once('exit', onEnd);
    child.once('error', onEnd);
  });
  return {
    ask: (command, ...[argument]) =>
      new Promise((resolve, reject) => {
        asked += 1;
        waiting.set(asked, { resolve, reject });
        const question: Question = { id: asked, command, argument };
        child.send(question, (error) => error !== null && reject(error));
      }),
    end: async () => {
      if (child.connected) child.disconnect();
      await ended;
    },
  };
}

/** The other side: answers questions until the one that asks is gone, then ends the process. */
export function answerQuestions(commands: Commands): void {
  process.on('SIGINT', () => undefined); // Ctrl-C reaches the whole group; the one that asks ends in order and takes us along
  process.on('disconnect', () => process.exit(0));
  process.on('message', (question: Question) => {
    void answer(commands, question).then((reply) => process.send?.(reply));
  });
}

async function answer(commands: Commands, { id, command, argument }: Question): Promise<Answer> {
  try {
    const work = commands[command];
    if (work === undefined) throw new Error(`nothing is known of ${command}`);
    return { id, result: await work(argument as never) }; // typed on the asking side
  } catch (error) {
    return { id, problem: error instanceof Error ? error.message : String(error) };
  }
}
