import type { DeadlineKind, FailureCode } from '@pipeline/contracts';
import type { Case } from '../quality/judge.ts';
import type { Piece } from '../recording/cut.ts';
import type { WavLayout } from '../recording/wav.ts';

/** Work for the thread. It reads an open file by its descriptor, which threads of one process share, and never closes it. */
export type Task =
  | { readonly kind: 'survey'; readonly fd: number; readonly size: number }
  | {
      readonly kind: 'cut';
      readonly fd: number;
      readonly size: number;
      readonly layout: WavLayout;
      readonly piece: Piece;
    }
  | { readonly kind: 'judge'; readonly given: Case };

/** To the thread. A task that was stopped is answered all the same, when nothing of it runs any more. */
export type Message =
  | { readonly id: number; readonly kind: 'task'; readonly task: Task }
  | { readonly id: number; readonly kind: 'stop' };

/** An error as it crosses to another thread, which would take its class from it. */
export type Problem =
  | { readonly kind: 'permanent'; readonly code: FailureCode; readonly message: string }
  | { readonly kind: 'later'; readonly code: FailureCode; readonly deadline: DeadlineKind; readonly message: string }
  | { readonly kind: 'other'; readonly message: string };

/** From the thread. */
export type Answer =
  | { readonly id: number; readonly kind: 'done'; readonly value: unknown }
  | { readonly id: number; readonly kind: 'failed'; readonly problem: Problem };
