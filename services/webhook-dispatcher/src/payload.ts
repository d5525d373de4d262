import { customerPhone, type CallLog } from '@pipeline/contracts';
import {
  WEBHOOK_SCHEMA_VERSION,
  WEBHOOK_SOFT_LIMIT_BYTES,
  webhookInstant,
  type WebhookBody,
  type WebhookErased,
} from '@pipeline/contracts/webhook';

export type BodyType = WebhookBody['event_type'];

/**
 * The bytes of a webhook, built from the stored CallLog and nothing else (L4). They are made once and kept: every attempt
 * sends these. Above 256 KiB the transcript is left out with a note of its size, and above that still the quotes of fields.
 */
export function buildPayload(callLog: CallLog, type: BodyType): Buffer {
  const whole = encode(webhookBody(callLog, type));
  if (whole.length <= WEBHOOK_SOFT_LIMIT_BYTES) return whole;
  const shorter = withoutTranscript(webhookBody(callLog, type));
  const encoded = encode(shorter);
  return encoded.length <= WEBHOOK_SOFT_LIMIT_BYTES ? encoded : encode(withoutEvidence(shorter));
}

/** The bytes of `call.erased`: which call is to be forgotten, and nothing else of it. */
export function buildErased(
  callSid: string,
  tombstone: { readonly businessId: string; readonly revision: number; readonly erasedAt?: string },
): Buffer {
  const body: WebhookErased = {
    event_type: 'call.erased',
    timestamp: webhookInstant(new Date(tombstone.erasedAt ?? Date.now())),
    business_id: tombstone.businessId,
    call_id: callSid,
    revision: tombstone.revision,
    schema_version: WEBHOOK_SCHEMA_VERSION,
  };
  return Buffer.from(JSON.stringify(body), 'utf8');
}

/** The order of the first eleven keys is part of the contract with consumers; whatever is new comes after them. */
function webhookBody(callLog: CallLog, type: BodyType): WebhookBody {
  return {
    event_type: type,
    timestamp: webhookInstant(new Date(callLog.stored_at)),
    business_id: callLog.businessId,
    call_id: callLog.callSid,
    phone: customerPhone(callLog),
    city: callLog.extracted_city,
    service_category: callLog.extracted_service,
    summary: callLog.summary,
    transcript: callLog.final_transcript,
    direction: callLog.direction,
    duration_sec: callLog.duration_sec,
    status: callLog.status,
    stages: callLog.stages,
    fields: callLog.fields,
    revision: callLog.revision,
    schema_version: WEBHOOK_SCHEMA_VERSION,
  };
}

function withoutTranscript(body: WebhookBody): WebhookBody {
  if (body.transcript === null) return body;
  const bytes = Buffer.byteLength(body.transcript, 'utf8');
  return { ...body, transcript: null, transcript_omitted: { reason: 'too_large', bytes } };
}

function withoutEvidence(body: WebhookBody): WebhookBody {
  return { ...body, fields: body.fields.map((field) => ({ ...field, evidence: null })) };
}

function encode(body: WebhookBody): Buffer {
  return Buffer.from(JSON.stringify(body), 'utf8');
}
