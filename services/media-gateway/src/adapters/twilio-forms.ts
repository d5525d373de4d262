import { callSidSchema } from '@pipeline/contracts';
import { z } from 'zod';
import type { RingingCall } from '../answer-call.ts';
import type { CallStatus } from '../note-status.ts';
import type { SignedFields } from './twilio-signature.ts';

/**
 * Twilio's forms, read strictly after the signature: it joins keys and values without a border between them, so a forger who
 * saw one signed request can shift text from a value into the next key. Required keys and exact forms catch that. A repeated
 * key is a list and so no string. What Twilio adds is ignored.
 */
export type FormReader = {
  /** The form of the fallback URL: a voice webhook, and Twilio's number of what went wrong before. */
  readFallback(fields: SignedFields): { readonly call: RingingCall; readonly code: string | null } | null;
  /** `null` when the form does not have its form. */
  readVoice(fields: SignedFields): RingingCall | null;
  readStatus(fields: SignedFields): CallStatus | null;
};

const STATUSES = [
  'queued',
  'initiated',
  'ringing',
  'in-progress',
  'completed',
  'busy',
  'failed',
  'no-answer',
  'canceled',
] as const;

/** Kept as it came: a number, `anonymous`, a SIP address. */
const addressSchema = z.string().max(512).optional();

export function createFormReader(accountSid: string): FormReader {
  const voiceSchema = z.object({
    AccountSid: z.literal(accountSid),
    CallSid: callSidSchema,
    CallStatus: z.enum(STATUSES),
    Direction: z.enum(['inbound', 'outbound-api', 'outbound-dial']),
    From: addressSchema,
    To: addressSchema,
  });
  const read = (fields: SignedFields): CallStatus | null => {
    const parsed = voiceSchema.safeParse({ ...fields });
    if (!parsed.success) return null;
    const { CallSid, CallStatus, Direction, From, To } = parsed.data;
    const direction = Direction === 'inbound' ? 'inbound' : 'outbound';
    return { callSid: CallSid, from: From || null, to: To || null, direction, status: CallStatus };
  };
  const readVoice: FormReader['readVoice'] = (fields) => {
    const form = read(fields);
    return form === null ? null : { callSid: form.callSid, from: form.from, to: form.to, direction: form.direction };
  };
  return {
    readVoice,
    readStatus: read,
    readFallback: (fields) => {
      const call = readVoice(fields);
      const code = fields['ErrorCode'];
      return call === null ? null : { call, code: typeof code === 'string' && /^\d{1,6}$/.test(code) ? code : null };
    },
  };
}
