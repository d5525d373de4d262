import { z } from 'zod';
import { callLogSchema } from '../call-log.ts';
import { EVENT_SCHEMAS, type EventType } from '../events.ts';
import { businessSettingsSchema } from '../settings.ts';
import { STAGES, STREAMS, subjectOf } from '../subjects.ts';
import { webhookBodySchema, webhookErasedSchema, webhookTestSchema } from '../webhook.ts';

type JsonObject = Readonly<Record<string, unknown>>;

const SUMMARIES: Record<EventType, string> = {
  'call.ended': 'A call ended; everything the gateway knows of it.',
  'call.transcribed': 'The call and its final transcript, or the reason why there is none.',
  'call.summarized': 'The call, its transcript and its summary, or the reasons.',
  'call.extracted': 'A notice: the CallLog is stored at this revision.',
  'call.erase': 'A command: forget this call.',
};

/** Every generated document by its file name: JSON Schema 2020-12 of each event, the webhook, the CallLog and settings, and AsyncAPI 3. */
export function generatedDocuments(): Readonly<Record<string, JsonObject>> {
  const events = Object.entries(EVENT_SCHEMAS).map(([type, schema]) => [
    `${type}.schema.json`,
    { title: type, ...jsonSchema(schema) },
  ]);
  return {
    ...Object.fromEntries(events),
    'webhook.schema.json': { title: 'webhook', ...jsonSchema(webhookBodySchema) },
    'webhook.erased.schema.json': { title: 'webhook call.erased', ...jsonSchema(webhookErasedSchema) },
    'webhook.test.schema.json': { title: 'webhook webhook.test', ...jsonSchema(webhookTestSchema) },
    'call-log.schema.json': { title: 'CallLog', ...jsonSchema(callLogSchema) },
    'business-settings.schema.json': { title: 'BusinessSettings', ...jsonSchema(businessSettingsSchema) },
    'asyncapi.json': asyncApi(),
  };
}

/** What a consumer of webhooks needs, in files that need no others: every body, and AsyncAPI 3 from the consumer's side. */
export function consumerDocuments(): Readonly<Record<string, JsonObject>> {
  const bodies = {
    call: jsonSchema(webhookBodySchema),
    erased: jsonSchema(webhookErasedSchema),
    test: jsonSchema(webhookTestSchema),
  };
  const message = (name: keyof typeof bodies, title: string): JsonObject => ({
    title,
    contentType: 'application/json',
    headers: SIGNATURE_HEADERS_SCHEMA,
    payload: { schemaFormat: 'application/schema+json;version=draft-2020-12', schema: bodies[name] },
  });
  const messages = {
    call: message('call', 'call.completed and call.updated'),
    erased: message('erased', 'call.erased'),
    test: message('test', 'webhook.test'),
  };
  return {
    'body.schema.json': {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      title: 'The body of any webhook',
      oneOf: Object.values(bodies).map(({ $schema: _same, ...schema }) => schema),
    },
    'asyncapi.json': {
      asyncapi: '3.0.0',
      info: { title: 'Webhooks of the Perfect Call Pipeline', version: '1.0.0' },
      channels: { webhook: { address: null, description: 'An HTTPS POST to the URL of the business.', messages } },
      operations: { receive: { action: 'receive', channel: { $ref: '#/channels/webhook' } } },
    },
  };
}

const SIGNATURE_HEADERS_SCHEMA = {
  type: 'object',
  required: ['webhook-id', 'webhook-timestamp', 'webhook-signature'],
  properties: {
    'webhook-id': { type: 'string', description: 'Stable over retries and replays: the key for deduplication.' },
    'webhook-timestamp': { type: 'string', description: 'Unix seconds of this attempt.' },
    'webhook-signature': { type: 'string', description: 'One or more `v1,<base64>`, separated by a space.' },
    'webhook-attempt': { type: 'string', description: 'From 1. Not signed.' },
  },
} as const;

function jsonSchema(schema: z.ZodType): JsonObject {
  return z.toJSONSchema(schema, { io: 'input', target: 'draft-2020-12' });
}

function asyncApi(): JsonObject {
  const types = Object.keys(EVENT_SCHEMAS) as EventType[]; // Object.keys loses the literal type
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Perfect Call Pipeline',
      version: '1.0.0',
      description: 'Events between the stages over NATS JetStream, and the webhook that leaves at the end.',
    },
    servers: {
      nats: { host: '{host}', protocol: 'nats', variables: { host: { description: 'NATS_URL of the service' } } },
    },
    channels: {
      ...Object.fromEntries(types.map((type) => [type, eventChannel(type)])),
      webhook: {
        address: null,
        title: 'call.completed and call.updated',
        description: 'An HTTPS POST, signed by Standard Webhooks, to the URL in the settings of the business.',
        messages: {
          webhook: { contentType: 'application/json', payload: { $ref: './webhook.schema.json' } },
          erased: { contentType: 'application/json', payload: { $ref: './webhook.erased.schema.json' } },
          test: { contentType: 'application/json', payload: { $ref: './webhook.test.schema.json' } },
        },
      },
    },
    operations: Object.fromEntries(stageOperations()),
  };
}

function eventChannel(type: EventType): JsonObject {
  const address = subjectOf(type, 'businessId', 'callSid')
    .replace('businessId', '{businessId}')
    .replace('callSid', '{callSid}');
  return {
    address,
    title: type,
    description: `${SUMMARIES[type]} Stream ${STREAMS[type]}.`,
    parameters: {
      businessId: { description: 'The business, [A-Za-z0-9_-]{1,64}.' },
      callSid: { description: "Twilio's CallSid." },
    },
    messages: { [type]: { contentType: 'application/json', payload: { $ref: `./${type}.schema.json` } } },
  };
}

function stageOperations(): [string, JsonObject][] {
  const stages = Object.entries(STAGES).flatMap(([stage, { consumes, produces }]): [string, JsonObject][] => [
    [`${stage}.consume`, operation('receive', consumes)],
    ...(produces === null ? [] : [[`${stage}.produce`, operation('send', produces)] as [string, JsonObject]]), // a tuple, which inference widens
  ]);
  return [
    ['media-gateway.produce', operation('send', 'call.ended')],
    ...stages,
    ['reconciler.produce-ended', operation('send', 'call.ended')],
    ['reconciler.produce-extracted', operation('send', 'call.extracted')],
    ['extractor-commands.consume', operation('receive', 'call.erase')],
    ['webhook-dispatcher.deliver', operation('send', 'webhook')],
  ];
}

function operation(action: 'send' | 'receive', channel: string): JsonObject {
  return { action, channel: { $ref: `#/channels/${channel}` } };
}
