import { read } from 'node:fs';
import { promisify } from 'node:util';
import { parentPort } from 'node:worker_threads';
import { PermanentError, RetryLaterError } from '@pipeline/contracts/failures';
import { listening, type FileAudio } from '../listening.ts';
import type { Answer, Message, Problem, Task } from './listener-messages.ts';

/** Nothing here imports the schemas of contracts: they take as much memory as the measurements of a day of audio. */
const readFile = promisify(read);
const port = parentPort;
const running = new Map<number, AbortController>();

port?.on('message', (message: Message) => {
  switch (message.kind) {
    case 'stop':
      return running.get(message.id)?.abort(new Error('stopped'));
    case 'task':
      return void answer(message.id, message.task);
  }
});

async function answer(id: number, task: Task): Promise<void> {
  const stop = new AbortController();
  running.set(id, stop);
  try {
    const value = await perform(task, stop.signal);
    const done: Answer = { id, kind: 'done', value };
    port?.postMessage(done, value instanceof Uint8Array && value.buffer instanceof ArrayBuffer ? [value.buffer] : []);
  } catch (error) {
    port?.postMessage({ id, kind: 'failed', problem: problemOf(error) } satisfies Answer);
  } finally {
    running.delete(id);
  }
}

function perform(task: Task, signal: AbortSignal): Promise<unknown> {
  switch (task.kind) {
    case 'survey':
      return listening.survey(audioOf(task), signal);
    case 'cut':
      return listening.cut(audioOf(task), task.layout, task.piece, signal);
    case 'judge':
      return listening.judge(task.given, signal);
  }
}

/** Asks the system for each piece, and so lets other tasks in between. */
function audioOf({ fd, size }: { readonly fd: number; readonly size: number }): FileAudio {
  return {
    fd,
    size,
    read: async (position, length, into) => {
      const available = Math.max(0, Math.min(length, size - position));
      const bytes = into === undefined ? new Uint8Array(available) : into.subarray(0, available);
      let filled = 0;
      while (filled < bytes.length) {
        const { bytesRead } = await readFile(fd, bytes, filled, bytes.length - filled, position + filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      return bytes.subarray(0, filled);
    },
  };
}

function problemOf(error: unknown): Problem {
  if (error instanceof PermanentError) return { kind: 'permanent', code: error.code, message: error.message };
  if (error instanceof RetryLaterError) {
    return { kind: 'later', code: error.code, deadline: error.deadline, message: error.message };
  }
  return { kind: 'other', message: error instanceof Error ? error.message : 'unknown' };
}
