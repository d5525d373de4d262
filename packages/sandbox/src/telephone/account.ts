import { randomBytes } from 'node:crypto';

/** Who the telephone is, and where its business numbers are configured to send calls. */
export type TelephoneOptions = {
  /** `AC` and 32 hexadecimal digits. */
  readonly accountSid: string;
  /** Signs requests to the gateway; also opens the REST side, as user `accountSid`. */
  readonly authToken: string;
  /** The API key that opens the REST side: `SK...` and its secret. */
  readonly apiKeySid: string;
  readonly apiKeySecret: string;
  /** The gateway as the outside knows it, without a path: what URLs are signed over. */
  readonly publicBaseUrl: string;
  /**
   * Where to connect in truth when that is not `publicBaseUrl`, for every request or by its CallSid and path, as a load balancer
   * decides; the Host header stays the public one, as behind a proxy.
   */
  readonly gatewayUrl?: string | ((callSid: string, path: string) => string) | undefined;
  /** The numbers' voice URL. Default `<publicBaseUrl>/twilio/voice`. Any URL may carry connection overrides in its fragment. */
  readonly voiceUrl?: string | undefined;
  /** The numbers' fallback URL, asked when the voice URL fails. Default none. */
  readonly fallbackUrl?: string | undefined;
  /** The numbers' status callback URL. Default `<publicBaseUrl>/twilio/status`. */
  readonly statusCallbackUrl?: string | undefined;
  /** The port of the REST side, free when absent. */
  readonly port?: number | undefined;
};

/** A new sid as Twilio makes them: its two letters and 32 hexadecimal digits. */
export function newSid(letters: 'CA' | 'RE' | 'MZ'): string {
  return letters + randomBytes(16).toString('hex');
}

/** A date as Twilio's forms and REST answers write it: RFC 2822 in UTC. */
export function rfc2822(milliseconds: number): string {
  return new Date(milliseconds).toUTCString().replace('GMT', '+0000');
}
