import {
  CLAIM_BUCKET,
  COMMAND_CONSUMER,
  CRASH_BUCKET,
  GATEWAY_BEAT_BUCKET,
  GATEWAY_BUCKET,
  PAID_BUCKET,
  RECONCILER_BUCKET,
  STAGES,
  STREAMS,
  type EventType,
  type Identity,
  type StageName,
} from '@pipeline/contracts';
import { inboxPrefix } from './connection.ts';
import { PURGED_STREAMS } from './erasure.ts';
import { bucketStream, CLAIM_STREAM, CRASH_STREAM, PAID_STREAM } from './topology.ts';

/** Subjects that a user of the broker may publish and subscribe to; everything else is refused. */
export type BrokerPermissions = { readonly publish: string[]; readonly subscribe: string[] };

/**
 * The rights of every identity as allow-lists, for the broker's users. No service may make, change, purge or delete a stream or
 * a consumer, publish another stage's event, or listen to another's inbox. Only operators manage.
 *
 * Deny rules are not used (a queue subscription got around them once), and reads of single messages are bound to subjects by
 * direct get, where the plain API could not be.
 */
export function brokerPermissions(): Record<Identity, BrokerPermissions> {
  return {
    'media-gateway': allow('media-gateway', [
      event('call.ended'),
      ...writeObjects(),
      ...useBucket(GATEWAY_BUCKET),
      // New calls are refused before it is full.
      inspect(bucketStream(GATEWAY_BUCKET)),
      ...useBucket(GATEWAY_BEAT_BUCKET),
    ]),
    transcriber: allow('transcriber', stage('transcriber')),
    summarizer: allow('summarizer', stage('summarizer')),
    extractor: allow('extractor', [...stage('extractor'), ...consume('call.erase', COMMAND_CONSUMER)]),
    'webhook-dispatcher': allow('webhook-dispatcher', stage('webhook-dispatcher')),
    reconciler: allow('reconciler', [
      event('call.ended'),
      event('call.extracted'),
      ...eventTypes().map((type) => readLast(STREAMS[type], event(type))),
      // Whether a call is there under whatever business: its number may have changed hands meanwhile.
      ...eventTypes().map((type) => inspect(STREAMS[type])),
      // Whether webhook-dispatcher has still to settle a notice, which must not be published again meanwhile.
      `$JS.API.CONSUMER.INFO.${STREAMS['call.extracted']}.webhook-dispatcher`,
      ...useBucket(RECONCILER_BUCKET),
    ]),
    // The schedule that purges again after erasures and asks for what retention ends. The broker cannot bind a purge to a subject, so
    // this identity publishes no event of a call, and whoever does may not purge.
    eraser: allow('eraser', [
      event('call.erase'),
      ...[...eventTypes(), 'call.erase' as const].map((type) => readLast(STREAMS[type], event(type))),
      ...Object.entries(STAGES).map(([name, { consumes }]) => `$JS.API.CONSUMER.INFO.${STREAMS[consumes]}.${name}`),
      `$JS.API.CONSUMER.INFO.${STREAMS['call.erase']}.${COMMAND_CONSUMER}`,
      ...PURGED_STREAMS.map((stream) => `$JS.API.STREAM.PURGE.${stream}`),
      inspect(CLAIM_STREAM),
      // How full it is: a retention leaves room for people who want to be forgotten.
      inspect(STREAMS['call.erase']),
    ]),
    // Replays any event, erases, changes limits, and sets the watermark of the reconciler back: an operator's identity, with credentials of its own.
    callctl: allow('callctl', ['$JS.API.>', 'call.>', ...writeObjects(), `$KV.${RECONCILER_BUCKET}.>`]),
    provision: allow('provision', ['$JS.API.>']),
  };
}

function allow(identity: Identity, publish: readonly string[]): BrokerPermissions {
  return { publish: [...new Set(publish)], subscribe: [`${inboxPrefix(identity)}.>`] };
}

function stage(name: StageName): string[] {
  const { consumes, produces } = STAGES[name];
  const next =
    produces === null
      ? []
      : [event(produces), readLast(STREAMS[produces], event(produces)), inspect(STREAMS[produces])];
  return [...consume(consumes, name), ...next];
}

/** Consuming: find, pull, settle; write dead letters, count crashes, keep what was paid, and read and write large parts. */
function consume(type: EventType, consumer: string): string[] {
  const stream = STREAMS[type];
  const crashes = `$KV.${CRASH_BUCKET}.${consumer}.>`;
  const paid = `$KV.${PAID_BUCKET}.${consumer}.>`;
  return [
    inspect(stream),
    `$JS.API.CONSUMER.INFO.${stream}.${consumer}`,
    `$JS.API.CONSUMER.MSG.NEXT.${stream}.${consumer}`,
    `$JS.ACK.${stream}.${consumer}.>`,
    // The newer form of acknowledgement subjects, with domain and account before the stream.
    `$JS.ACK.*.*.${stream}.${consumer}.>`,
    event('call.dead'),
    inspect(STREAMS['call.dead']),
    inspect(CRASH_STREAM),
    crashes,
    readLast(CRASH_STREAM, crashes),
    inspect(PAID_STREAM),
    paid,
    readLast(PAID_STREAM, paid),
    inspect(CLAIM_STREAM),
    ...writeObjects(),
    `$JS.API.STREAM.MSG.GET.${CLAIM_STREAM}`,
  ];
}

function writeObjects(): string[] {
  return [`$O.${CLAIM_BUCKET}.C.>`, `$O.${CLAIM_BUCKET}.M.>`];
}

/**
 * Everything in a bucket that one identity has for itself. Reads go to the leader, because a replica may lag behind what another
 * process has just written; watching reads again and again, so that nobody needs the right to make a consumer.
 */
function useBucket(bucket: string): string[] {
  return [`$KV.${bucket}.>`, `$JS.API.STREAM.MSG.GET.${bucketStream(bucket)}`];
}

function event(kind: EventType | 'call.dead'): string {
  return `${kind}.*.*`;
}

function inspect(stream: string): string {
  return `$JS.API.STREAM.INFO.${stream}`;
}

function readLast(stream: string, subject: string): string {
  return `$JS.API.DIRECT.GET.${stream}.${subject}`;
}

function eventTypes(): EventType[] {
  return ['call.ended', 'call.transcribed', 'call.summarized', 'call.extracted'];
}
