import { badRequest } from '../api-error.ts';
import type { AiFault, AiFaultKind } from '../faults.ts';
import type { SessionContext } from './context.ts';
import { newId } from './ids.ts';
import { createResponse } from './response.ts';
import { createResponseRunner } from './response-runner.ts';
import { nextWords, wordsFor, type Words } from './words.ts';

export type Speaker = {
  /** Answers `response.create`. Throws the error of a session that is already responding. */
  create(instructions: string | null, metadata: unknown): void;
  /** Answers the caller's words with the agent's next turn. */
  answer(text: string): void;
  /** Ends the running response; false when there is none, or not that one. */
  cancel(reason: 'turn_detected' | 'client_cancelled', responseId?: string): boolean;
  /** Any sound was made in this session. */
  readonly hasSpoken: boolean;
};

const SPEAKING_FAULTS: readonly AiFaultKind[] = [
  'disconnect',
  'session_expired',
  'mute',
  'silence',
  'response_failed',
  'malformed',
  'delay',
];

/** The agent's voice, with the faults that strike when it is about to speak. */
export function createSpeaker(context: SessionContext): Speaker {
  const conversationId = newId('conv');
  const runner = createResponseRunner(context);
  let hasSpoken = false;

  const start = (words: Words, metadata: unknown): void => {
    const { model, audio } = context.settings;
    const fault = context.faults.take('realtime', { model, text: words.about }, SPEAKING_FAULTS);
    if (fault?.kind === 'mute' || (fault !== undefined && endsSession(fault, context))) return;
    const isMute = fault?.kind === 'silence' || fault?.kind === 'response_failed';
    const said = isMute ? { speech: null, tool: null } : { speech: words.speech, tool: words.tool };
    const voice = { format: audio.output.format, voice: audio.output.voice };
    const response = createResponse({ ...said, metadata, audio: voice, conversationId }, context.items);
    hasSpoken ||= said.speech !== null;
    context.entry.responses += 1;
    runner.run(response, fault?.kind === 'delay' ? fault.ms : 0);
    if (fault?.kind === 'response_failed') runner.cut({ status: 'failed', code: 'server_error' });
  };

  return {
    create: (instructions, metadata) => {
      if (runner.current === null) return start(wordsFor(instructions, context, hasSpoken), metadata);
      const message = `Conversation already has an active response in progress: ${runner.current.id}.`;
      throw badRequest(message, undefined, 'conversation_already_has_active_response');
    },
    answer: (text) => {
      if (runner.current === null) start(nextWords(context, text, hasSpoken), null);
    },
    cancel: (reason, responseId) => {
      const { current } = runner;
      if (current === null || (responseId !== undefined && responseId !== current.id)) return false;
      runner.cut({ status: 'cancelled', reason });
      return true;
    },
    get hasSpoken() {
      return hasSpoken;
    },
  };
}

/** Shows a fault of the socket; true when there is no session any more. */
function endsSession(fault: AiFault, { socket, send }: SessionContext): boolean {
  switch (fault.kind) {
    case 'disconnect':
      socket.drop();
      return true;
    case 'session_expired': {
      const message = 'Your session hit the maximum duration of 60 minutes.';
      const error = { type: 'invalid_request_error', code: 'session_expired', message, param: null, event_id: null };
      send({ type: 'error', error });
      socket.close(1_001, 'session_expired');
      return true;
    }
    case 'malformed':
      socket.send('{"type": "response.');
      return false;
    default:
      return false;
  }
}
