import { voiceForm, statusForm } from '../../telephone/call/call-forms.ts';
import { newCall, type Call } from '../../telephone/call/call.ts';
import type { GatewayClient } from '../../telephone/call/gateway-client.ts';
import { deliverStatus } from '../../telephone/call/status-callback.ts';
import { parseTwiml } from '../../telephone/call/twiml.ts';
import type { LoadFaults } from '../faults.ts';
import type { CallerCall } from '../report.ts';
import { LoadLine, type LineParts } from './line.ts';
import type { LoadTarget } from './target.ts';

export type LoadCallParts = LineParts & {
  readonly target: LoadTarget;
  /** Signs requests to a gateway; `null` for a relay. */
  readonly client: GatewayClient | null;
};

/** How long both sides may take to hear each other. */
const UP_MS = 20_000;

/** One call of a load, from the webhook to the status callback. Nothing of it rejects: what goes wrong is in its report. */
export class LoadCall {
  readonly #number: number;
  readonly #faults: LoadFaults;
  readonly #parts: LoadCallParts;
  readonly #call: Call;
  readonly #problems: string[] = [];
  #line: LoadLine | null = null;
  #wasUp = false;
  #callbackStatuses: readonly number[] = [];

  constructor(number: number, faults: LoadFaults, parts: LoadCallParts) {
    this.#number = number;
    this.#faults = faults;
    this.#parts = parts;
    const to = parts.target.kind === 'gateway' ? parts.target.to : '+15550000000';
    this.#call = newCall({ from: `+1555${String(1_000_000 + number).slice(-7)}`, to, direction: 'inbound' });
  }

  /** Places the call; resolves when both sides heard each other, or when that will not be. */
  async place(signal: AbortSignal): Promise<void> {
    try {
      const line = await this.#open(signal);
      this.#line = line;
      await Promise.race([line.up, rejectAfter(UP_MS)]);
      this.#wasUp = true;
    } catch (error) {
      this.#problems.push(error instanceof Error ? error.message : String(error));
    }
  }

  /** What the network does to this call, if anything. */
  async suffer(): Promise<void> {
    if (this.#faults.network === 'drop') this.#line?.cut();
    if (this.#faults.network === 'stall') await this.#line?.stall();
  }

  hush(): void {
    this.#line?.hush();
  }

  /** Ends the call; resolves when its status callback was delivered or given up. */
  async hangUp(signal: AbortSignal): Promise<void> {
    this.#call.status = 'completed';
    this.#call.endedAt = Date.now();
    this.#call.durationSec = Math.round((Date.now() - this.#call.createdAt) / 1_000);
    if (this.#faults.callback === 'early') await this.#tellEnd(signal);
    await this.#line?.hangUp();
    if (this.#faults.callback === 'once' || this.#faults.callback === 'twice') await this.#tellEnd(signal);
  }

  report(): CallerCall {
    const isCut = this.#faults.network === 'drop';
    return {
      call: this.#number,
      callSid: this.#call.callSid,
      faults: this.#faults,
      wasUp: this.#wasUp,
      sent: this.#line?.sent ?? 0,
      callbackStatuses: this.#callbackStatuses,
      problems: [...this.#problems, ...(isCut ? [] : (this.#line?.problems ?? []))],
    };
  }

  async #open(signal: AbortSignal): Promise<LoadLine> {
    const { target, client } = this.#parts;
    const { callSid } = this.#call;
    if (target.kind === 'relay' || client === null) {
      const url = target.kind === 'relay' ? target.url : target.gatewayUrl;
      const accountSid = `AC${'0'.repeat(32)}`;
      return new LoadLine(
        { call: this.#number, callSid, accountSid, url, headers: {}, customParameters: {} },
        this.#parts,
      );
    }
    const reply = await client.post(`${target.publicBaseUrl}/twilio/voice`, voiceForm(this.#call, target), {}, signal);
    if (reply.status !== 200) throw new Error(`the voice webhook answered ${reply.status}`);
    const stream = parseTwiml(reply.text).find((verb) => verb.kind === 'stream');
    if (stream === undefined) throw new Error('the gateway did not take the call');
    this.#call.status = 'in-progress';
    this.#call.startedAt = Date.now();
    const { url, headers } = client.upgrade(stream.url, callSid, false);
    const { accountSid } = target;
    return new LoadLine(
      { call: this.#number, callSid, accountSid, url, headers, customParameters: stream.parameters },
      this.#parts,
    );
  }

  async #tellEnd(signal: AbortSignal): Promise<void> {
    const { target, client } = this.#parts;
    if (target.kind === 'relay' || client === null) return;
    const form = statusForm(this.#call, target);
    const times = this.#faults.callback === 'twice' ? 2 : 1;
    const request = { url: target.statusCallbackUrl, form, isWrong: false, times } as const;
    this.#callbackStatuses = await deliverStatus(client, request, signal);
    if (this.#callbackStatuses.at(-1) !== 204)
      this.#problems.push(`the status callback was answered ${this.#callbackStatuses.join(', ')}`);
  }
}

function rejectAfter(ms: number): Promise<never> {
  return new Promise((_resolve, reject) => {
    setTimeout(() => reject(new Error(`both sides did not hear each other within ${ms} ms`)), ms).unref();
  });
}
