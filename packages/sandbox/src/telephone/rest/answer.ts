import type { TelephoneOptions } from '../account.ts';
import type { Call } from '../call/call.ts';
import type { KeptCalls } from './kept-recordings.ts';
import type { CallList } from './call-list-behaviour.ts';
import type { RecordingBehaviour } from './recording-behaviour.ts';

/** What the REST side reads and changes. */
export type RestState = {
  readonly options: TelephoneOptions;
  /** By CallSid, oldest first. */
  readonly calls: ReadonlyMap<string, Call>;
  /** How recordings without a behaviour of their own show up. */
  readonly behaviour: () => RecordingBehaviour;
  readonly callList: CallList;
  readonly kept: KeptCalls;
};

/** A request for a resource. */
export type RestRequest = { readonly url: URL; readonly form: URLSearchParams };

/** An answer: JSON, a file in memory or on disk (whole, broken off half-way, or begun and never ended), or nothing. */
export type RestAnswer = {
  readonly status: number;
  readonly json?: Record<string, unknown>;
  readonly file?: Buffer;
  readonly path?: string;
  /** Bytes of the file at `path`. */
  readonly bytes?: number;
  readonly contentType?: string;
  readonly isTruncated?: boolean;
  readonly isStalled?: boolean;
  readonly headers?: Readonly<Record<string, string>>;
};

/** Twilio's form of an error. */
export function restError(status: number, code: number, message: string): RestAnswer {
  return { status, json: { code, message, more_info: `https://www.twilio.com/docs/errors/${code}`, status } };
}

/** Twilio's answer for what is not there. */
export function notFound(resource: string): RestAnswer {
  return restError(404, 20_404, `The requested resource ${resource} was not found`);
}
