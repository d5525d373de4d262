import type { Logger } from '@pipeline/runtime';
import type { RealtimeClientEvent } from 'openai/resources/realtime/realtime';
import { WebSocket } from 'ws';
import type { Agent, AgentConnection, AgentEvent, AgentSession } from '../agent.ts';
import { createHearingProbe, type HearingProbe } from './hearing-probe.ts';
import { audioMs } from './mulaw.ts';
import {
  hearingQuestion,
  isHearingQuestion,
  readServerEvent,
  seedItem,
  sessionUpdate,
  type ServerReport,
} from './openai-shapes.ts';
import { createSilenceKeeper, type SilenceKeeper } from './silence-keeper.ts';

type OpenAiOptions = {
  /** `https://api.openai.com/v1` or any server that speaks the same; the socket takes ws(s) of the same place. */
  readonly baseUrl: string;
  readonly apiKey: string;
  readonly model: string;
  readonly transcriptionModel: string;
  readonly logger: Logger;
  /** Milliseconds from the first packet to `session.updated`. Default 5 s: the caller hears nothing meanwhile, and there may be two such waits. */
  readonly readyDeadlineMs?: number;
  /** Milliseconds without audio in the middle of a caller's words after which the session is given silence. Default 750. */
  readonly silenceAfterMs?: number;
  /** Milliseconds in which a session that says nothing must answer whether it still hears. Default 10 s. */
  readonly deafAfterMs?: number;
};

/** The agent as a session of OpenAI's Realtime API, over `ws`, because its plain sockets let any server take OpenAI's place. */
export function createOpenAiAgent(options: OpenAiOptions): Agent {
  return { connect: (session, report) => new RealtimeSession(options, session, report) };
}

const READY_DEADLINE_MS = 5_000;
const SILENCE_AFTER_MS = 750;
const DEAF_AFTER_MS = 10_000;
/** A socket that brings nothing, not even a pong, for two of these is dead although nobody closed it. */
const HEARTBEAT_MS = 10_000;
/** About 90 s of audio that the other side does not take. */
const MAX_BUFFERED_BYTES = 1_048_576;
/** The largest events are those that repeat a whole response. */
const MAX_PAYLOAD_BYTES = 4_194_304;
/** A server that does not answer our close. */
const CLOSE_DEADLINE_MS = 2_000;
const TEXT = { binary: false } as const;

/**
 * One session. Invariants:
 * A1 `agent_lost` is reported at most once and last; after `close` nothing is reported;
 * A2 nothing is sent before the socket is open or after the session is over.
 */
class RealtimeSession implements AgentConnection {
  readonly #session: AgentSession;
  readonly #report: (event: AgentEvent) => void;
  readonly #logger: Logger;
  readonly #socket: WebSocket;
  readonly #deadline: NodeJS.Timeout;
  readonly #heartbeat: NodeJS.Timeout;
  readonly #silence: SilenceKeeper;
  readonly #deafAfterMs: number;
  #hearing: HearingProbe | null = null;
  #state: 'opening' | 'ready' | 'over' = 'opening';
  #isAlive = true;

  constructor(options: OpenAiOptions, session: AgentSession, report: (event: AgentEvent) => void) {
    const deadlineMs = options.readyDeadlineMs ?? READY_DEADLINE_MS;
    this.#session = session;
    this.#report = report;
    this.#logger = options.logger.child({ callSid: session.callSid });
    this.#socket = new WebSocket(socketUrl(options), {
      headers: { authorization: `Bearer ${options.apiKey}` },
      perMessageDeflate: false,
      maxPayload: MAX_PAYLOAD_BYTES,
    });
    this.#deadline = setTimeout(() => this.#lose('not_ready'), deadlineMs);
    this.#heartbeat = setInterval(() => this.#checkPulse(), HEARTBEAT_MS);
    this.#silence = createSilenceKeeper(options.silenceAfterMs ?? SILENCE_AFTER_MS, (silence) => this.#append(silence));
    this.#deafAfterMs = options.deafAfterMs ?? DEAF_AFTER_MS;
    this.#listen(options);
  }

  append(payload: string): void {
    this.#silence.heard(audioMs(payload));
    this.#append(payload);
  }

  commit(): void {
    this.#send({ type: 'input_audio_buffer.commit' });
  }

  speak(text: string | null): void {
    const response = text === null ? {} : { response: { instructions: `Say exactly: ${text}` } };
    this.#send({ type: 'response.create', ...response });
  }

  truncate(itemId: string, heardMs: number): void {
    this.#send({ type: 'conversation.item.truncate', item_id: itemId, content_index: 0, audio_end_ms: heardMs });
  }

  close(): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    clearTimeout(this.#deadline);
    clearInterval(this.#heartbeat);
    this.#silence.stop();
    this.#hearing?.stop();
    this.#socket.close();
    setTimeout(() => this.#socket.terminate(), CLOSE_DEADLINE_MS).unref();
  }

  #listen(options: OpenAiOptions): void {
    this.#socket.on('open', () => this.#send(sessionUpdate(this.#session, options.transcriptionModel)));
    this.#socket.on('pong', () => {
      this.#isAlive = true;
      this.#hearing?.ponged();
    });
    this.#socket.on('message', (frame, isBinary) => {
      this.#isAlive = true;
      this.#hearing?.reported();
      // ws hands over a Buffer because `binaryType` keeps its default; this protocol has text frames only.
      const event = isBinary ? null : this.#read((frame as Buffer).toString('utf8'));
      if (event !== null && this.#state !== 'over') this.#receive(event);
    });
    this.#socket.on('unexpected-response', (_request, response) => {
      response.destroy();
      this.#lose(`http_${response.statusCode}`);
    });
    this.#socket.on('error', (error) => this.#lose('code' in error ? String(error.code) : 'socket_error'));
    this.#socket.on('close', (code) => this.#lose(`closed_${code}`));
  }

  #receive(event: ServerReport): void {
    switch (event.kind) {
      case 'error':
        if (isHearingQuestion(event.eventId)) return this.#hearing?.refused();
        this.#logger.warn({ code: event.code }, "the agent's session reports an error");
        if (this.#state === 'opening') this.#lose(event.code);
        return;
      case 'updated':
        return this.#state === 'opening' ? this.#becomeReady() : this.#hearing?.answered();
      case 'caller_started':
        this.#silence.speechStarted();
        return this.#report({ ...event, atMs: event.atMs === null ? null : this.#silence.toCallerMs(event.atMs) });
      case 'caller_stopped':
        this.#silence.speechStopped();
        return this.#report(event);
      default:
        return this.#report(event);
    }
  }

  /**
   * 50 of these a second. Base64 needs no escaping, so the event is put together, not serialised; as bytes, because those are
   * masked into one buffer and written as one, while text becomes two.
   */
  #append(payload: string): void {
    this.#sendText(Buffer.from(`{"type":"input_audio_buffer.append","audio":"${payload}"}`, 'latin1'));
  }

  #becomeReady(): void {
    this.#state = 'ready';
    clearTimeout(this.#deadline);
    this.#hearing = createHearingProbe(
      this.#deafAfterMs,
      () => this.#askWhetherItHears(),
      () => this.#lose('deaf'),
    );
    for (const [index, turn] of this.#session.history.entries()) this.#send(seedItem(turn, index));
    this.#report({ kind: 'agent_ready' });
  }

  #checkPulse(): void {
    if (!this.#isAlive) return this.#lose('silent');
    this.#isAlive = false;
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.ping();
  }

  #askWhetherItHears(): void {
    this.#send(hearingQuestion);
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.ping();
  }

  #send(event: RealtimeClientEvent): void {
    this.#sendText(JSON.stringify(event));
  }

  #sendText(text: string | Buffer): void {
    if (this.#state === 'over' || this.#socket.readyState !== WebSocket.OPEN) return;
    if (this.#socket.bufferedAmount > MAX_BUFFERED_BYTES) return this.#lose('congested');
    this.#socket.send(text, TEXT);
  }

  #lose(reason: string): void {
    if (this.#state === 'over') return;
    this.close();
    this.#report({ kind: 'agent_lost', reason, isLate: reason === 'deaf' || reason === 'silent' });
  }

  #read(frame: string): ServerReport | null {
    try {
      return readServerEvent(frame);
    } catch (error) {
      this.#logger.warn({ err: error }, "the agent's session sent what is no event of its API");
      return null;
    }
  }
}

function socketUrl(options: OpenAiOptions): string {
  return `${options.baseUrl.replace(/^http/, 'ws')}/realtime?model=${encodeURIComponent(options.model)}`;
}
