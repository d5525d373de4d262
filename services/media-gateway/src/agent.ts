import type { LiveTurn } from '@pipeline/contracts';

/**
 * The agent as a call sees it, whoever provides it. Audio is G.711 mu-law at 8 kHz in base64 in both directions and passes
 * untouched; item ids are the provider's, used only to put things together.
 */
export type Agent = {
  /**
   * Opens a session. Exactly one `agent_lost` ends the reports of a session, whatever goes wrong and whenever; after it, and
   * after `close`, nothing more is reported.
   */
  connect(session: AgentSession, report: (event: AgentEvent) => void): AgentConnection;
};

export type AgentSession = {
  readonly callSid: string;
  readonly instructions: string;
  readonly voice: string;
  /** BCP 47. */
  readonly language: string;
  readonly keywords: readonly string[];
  /** What was said before, when this session replaces one that was lost. */
  readonly history: readonly LiveTurn[];
};

export type AgentConnection = {
  /** The caller's audio, in order. Only after `agent_ready`. */
  append(payload: string): void;
  /** Asks the agent to speak now; with `text`, to say exactly that. */
  speak(text: string | null): void;
  /** Ends the caller's turn now, so that its transcription starts without waiting for silence. */
  commit(): void;
  /** Makes the agent forget what the caller has not heard of an item. */
  truncate(itemId: string, heardMs: number): void;
  close(): void;
};

/** What an agent's session reports. Times count the milliseconds of caller audio appended in this session. */
export type AgentEvent =
  | { readonly kind: 'agent_ready' }
  /** The session is gone or never came: `reason` is a code for the log. Found out late, it heard nothing for some seconds before. */
  | { readonly kind: 'agent_lost'; readonly reason: string; readonly isLate?: boolean }
  | { readonly kind: 'agent_response_started' }
  | { readonly kind: 'agent_response_done'; readonly hasFailed: boolean }
  | { readonly kind: 'agent_audio'; readonly itemId: string; readonly payload: string; readonly ms: number }
  | { readonly kind: 'agent_audio_done'; readonly itemId: string }
  | { readonly kind: 'agent_text'; readonly itemId: string; readonly text: string; readonly isFinal: boolean }
  /** The agent used its tool `end_call`. */
  | { readonly kind: 'agent_leaves' }
  | {
      readonly kind: 'item_added';
      readonly itemId: string;
      readonly previousItemId: string | null | undefined;
      readonly speaker: 'caller' | 'agent' | null;
    }
  /** `atMs` is `null` when the session gives no time that can be. */
  | { readonly kind: 'caller_started'; readonly itemId: string; readonly atMs: number | null }
  | { readonly kind: 'caller_stopped'; readonly itemId: string }
  | { readonly kind: 'caller_text'; readonly itemId: string; readonly text: string; readonly isFinal: boolean }
  /** The transcription of a caller's item failed: none will come. */
  | { readonly kind: 'caller_text_failed'; readonly itemId: string };
