import type { Faults } from '../faults.ts';
import type { LedgerEntry } from '../ledger.ts';
import type { AgentLines } from './agent-lines.ts';
import type { Items } from './items.ts';
import type { ServerEvent } from './response.ts';
import type { Settings } from './settings.ts';
import type { Timers } from './timers.ts';

/** The socket of a session. `drop` ends it without a close frame. */
export type SessionSocket = {
  send(frame: string): void;
  close(code: number, reason: string): void;
  drop(): void;
};

/** How long things take, in milliseconds: from the end of a turn to its transcription, and from one 200 ms of speech to the next. */
export type Pace = { readonly transcriptionDelayMs: number; readonly deltaIntervalMs: number };

/** What the parts of one session share. */
export type SessionContext = {
  readonly socket: SessionSocket;
  readonly send: (event: ServerEvent) => void;
  readonly items: Items;
  readonly lines: AgentLines;
  readonly timers: Timers;
  readonly faults: Faults;
  readonly entry: LedgerEntry;
  readonly pace: Pace;
  settings: Settings;
  /** Nothing is sent any more. */
  isDeaf: boolean;
};
