import { startNats, type RunningNats } from '@pipeline/sandbox/servers';
import { NatsError } from 'nats';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { IDENTITIES, STREAMS, type Identity } from '@pipeline/contracts';
import { connectBroker, connectOperator, type Broker } from './broker.ts';
import { openOperatorConnection, type Connection } from './connection.ts';
import { callEnded, callErase, callSummarized, callTranscribed } from './fixtures/events.ts';
import { purgeCalls } from './erasure.ts';
import { openBucket } from './key-value.ts';
import { configOf, keepingLog, keepingMetrics, QUICK, until } from './fixtures/rig.ts';
import { brokerPermissions } from './permissions.ts';
import { provisionBroker } from './provision.ts';

const SERVICES = [
  'media-gateway',
  'transcriber',
  'summarizer',
  'extractor',
  'webhook-dispatcher',
  'reconciler',
] as const;
const CALL = 'biz_1.CA0123456789abcdef0123456789abcdef';

let server: RunningNats;
beforeAll(async () => {
  const permissions = brokerPermissions();
  server = await startNats({
    users: [
      { user: 'root', password: 'root-password' },
      ...IDENTITIES.map((identity) => ({
        user: identity,
        password: `${identity}-password`,
        permissions: permissions[identity],
      })),
    ],
  });
  const { ok, lines } = await provisionBroker(who('provision'));
  if (!ok) throw new Error(lines.join('\n'));
});
afterAll(() => server.stop());

function who(identity: Identity, log = keepingLog()) {
  const login = { NATS_USER: identity, NATS_PASSWORD: `${identity}-password` };
  return { config: configOf(server.url, login), identity, instance: `${identity}/1`, logger: log };
}

async function as<T>(identity: Identity, work: (connection: Connection) => Promise<T>): Promise<T> {
  const connection = await openOperatorConnection(who(identity));
  try {
    return await work(connection);
  } finally {
    await connection.nc.close();
  }
}

/** What the server says to a request on a subject: `refused`, or anything else. */
async function verdict({ nc }: Connection, subject: string): Promise<'refused' | 'allowed'> {
  try {
    await nc.request(subject, '', { timeout: 1_000, noMux: true });
    return 'allowed';
  } catch (error) {
    return error instanceof NatsError && error.code === 'PERMISSIONS_VIOLATION' ? 'refused' : 'allowed';
  }
}

/** Every subject that somebody may publish to, and every verb of management, with a call's tokens in place of wildcards. */
function everySubject(): string[] {
  const permissions = brokerPermissions();
  const granted = SERVICES.flatMap((identity) => permissions[identity].publish).map(concrete);
  const verbs = [
    'STREAM.CREATE',
    'STREAM.UPDATE',
    'STREAM.DELETE',
    'STREAM.PURGE',
    'STREAM.MSG.DELETE',
    'STREAM.MSG.GET',
    'STREAM.SNAPSHOT',
  ];
  const streams = [
    ...Object.values(STREAMS),
    'CALL_ADVISORIES',
    'KV_CRASHES',
    'KV_GATEWAY_BEATS',
    'KV_GATEWAY_CALLS',
    'KV_PAID',
    'KV_RECONCILER',
    'OBJ_CALL_EVENTS',
  ];
  const managing = streams.flatMap((stream) => verbs.map((verb) => `$JS.API.${verb}.${stream}`));
  const consumers = streams.flatMap((stream) =>
    ['CREATE', 'DURABLE.CREATE', 'DELETE', 'PAUSE', 'INFO', 'MSG.NEXT'].map(
      (verb) => `$JS.API.CONSUMER.${verb}.${stream}.transcriber`,
    ),
  );
  const foreign = [
    '$JS.API.STREAM.NAMES',
    '$JS.API.STREAM.LIST',
    '$JS.API.INFO',
    '$JS.API.ACCOUNT.PURGE.x',
    '_INBOX.extractor.x.y',
    'call.other.a.b',
  ];
  return [...new Set([...granted, ...managing, ...consumers, ...foreign])];
}

function concrete(pattern: string): string {
  const call = /^call\.\w+\.\*\.\*$/.test(pattern) || pattern.includes('DIRECT.GET.CALL_');
  return (call ? pattern.replace('*.*', CALL) : pattern.replaceAll('*', 'x')).replace(/>$/, 'tail');
}

/** Whether an allow-list covers a subject, by the broker's rules. Written anew: the checker shares nothing with the product. */
function covers(pattern: string, subject: string): boolean {
  const [wanted, given] = [pattern.split('.'), subject.split('.')];
  const end = wanted.indexOf('>');
  if (end >= 0 ? given.length <= end : given.length !== wanted.length) return false;
  return wanted.slice(0, end >= 0 ? end : undefined).every((token, index) => token === '*' || token === given[index]);
}

describe('the rights of services', () => {
  it(
    'B51 B52 every service is refused every subject of another and every verb of management',
    { timeout: 60_000 },
    async () => {
      const permissions = brokerPermissions();
      let refused = 0;
      for (const identity of SERVICES) {
        const foreign = everySubject().filter(
          (subject) => !permissions[identity].publish.some((pattern) => covers(pattern, subject)),
        );
        expect(foreign.length).toBeGreaterThan(60);
        const wrong = await as(identity, async (connection) => {
          const verdicts = await Promise.all(foreign.map((subject) => verdict(connection, subject)));
          return foreign.filter((_subject, index) => verdicts[index] !== 'refused');
        });
        expect(wrong, identity).toEqual([]);
        refused += foreign.length;
      }
      expect(refused).toBeGreaterThan(400);
    },
  );

  it('no service may make, change, purge or delete anything, nor settle or read for another consumer', () => {
    const permissions = brokerPermissions();
    for (const identity of SERVICES) {
      const listed = permissions[identity].publish.join('\n');
      expect(listed, identity).not.toMatch(/CREATE|UPDATE|DELETE|PURGE|>\.|^>|\$JS\.API\.>|\$JS\.ACK\.>/m);
      expect(permissions[identity].subscribe).toEqual([`_INBOX.${identity}.>`]);
    }
    const writers = (subject: string) =>
      SERVICES.filter((identity) => permissions[identity].publish.some((pattern) => covers(pattern, subject)));
    expect(writers(`call.ended.${CALL}`)).toEqual(['media-gateway', 'reconciler']);
    expect(writers(`call.transcribed.${CALL}`)).toEqual(['transcriber']);
    expect(writers(`call.summarized.${CALL}`)).toEqual(['summarizer']);
    expect(writers(`call.extracted.${CALL}`)).toEqual(['extractor', 'reconciler']);
    expect(writers(`call.erase.${CALL}`)).toEqual([]);
    expect(writers('$KV.GATEWAY_CALLS.call.CA1')).toEqual(['media-gateway']);
    expect(writers('$JS.API.STREAM.MSG.GET.KV_GATEWAY_CALLS')).toEqual(['media-gateway']);
    expect(writers('$JS.API.STREAM.INFO.KV_GATEWAY_CALLS')).toEqual(['media-gateway']);
    expect(writers('$KV.GATEWAY_BEATS.process.a')).toEqual(['media-gateway']);
    expect(writers('$KV.RECONCILER.watermark')).toEqual(['reconciler']);
    expect(writers('$JS.ACK.CALL_ENDED.transcriber.1.1.1.1.0')).toEqual(['transcriber']);
    expect(writers('$JS.ACK.hub.ACC.CALL_ENDED.transcriber.1.1.1.1.0')).toEqual(['transcriber']);
  });

  it("nobody hears another's inbox or the events as they pass", async () => {
    await as('summarizer', async ({ nc }) => {
      for (const subject of ['_INBOX.transcriber.>', '_INBOX.>', 'call.>', '$JS.EVENT.>', '>']) {
        const subscription = nc.subscribe(subject);
        await expect(subscription.closed, subject).resolves.toBeUndefined();
      }
    });
  });
});

describe('the identity that purges', () => {
  it('purges what a call leaves, asks for erasures, and may do nothing else: no event, no dead letter, no management', async () => {
    const streams = ['CALL_ENDED', 'CALL_TRANSCRIBED', 'CALL_SUMMARIZED', 'CALL_DEAD', 'CALL_EXTRACTED'];
    const stored = ['KV_CRASHES', 'KV_GATEWAY_CALLS', 'KV_PAID', 'OBJ_CALL_EVENTS'];
    const allowed = brokerPermissions().eraser.publish;
    expect(allowed.filter((subject) => subject.includes('PURGE')).toSorted()).toEqual(
      [...streams, ...stored].map((stream) => `$JS.API.STREAM.PURGE.${stream}`).toSorted(),
    );
    const foreign = everySubject().filter((subject) => !allowed.some((pattern) => covers(pattern, subject)));
    expect(foreign).toContain(`call.ended.${CALL}`);
    expect(foreign).toContain('$JS.API.STREAM.PURGE.CALL_COMMANDS');
    expect(foreign).toContain('$JS.API.STREAM.PURGE.KV_RECONCILER');
    const wrong = await as('eraser', async (connection) => {
      const verdicts = await Promise.all(foreign.map((subject) => verdict(connection, subject)));
      return foreign.filter((_subject, index) => verdicts[index] !== 'refused');
    });
    expect(wrong).toEqual([]);

    const gateway = await as('callctl', async ({ js }) => js.publish(`call.ended.${CALL}`, 'words'));
    expect(gateway.seq).toBeGreaterThan(0);
    const purged = await purgeCalls(who('eraser'), [CALL.slice(6)]);
    expect(purged.find(({ stream }) => stream === 'CALL_ENDED')?.count).toBe(1);
    const operator = await connectOperator(who('eraser'));
    await operator.publish({ ...callErase(CALL.slice(6)) });
    expect(await operator.lastMark('call.erase', 'biz_1', CALL.slice(6))).toMatchObject({ revision: 1 });
    for (const consumer of ['extractor-commands', 'transcriber', 'webhook-dispatcher'] as const)
      await expect(operator.settledUpTo(consumer), consumer).resolves.toEqual(expect.any(Number));
    await operator.close();
  });
});

describe('the buckets of services', () => {
  it.each([
    ['media-gateway', 'GATEWAY_CALLS'],
    ['media-gateway', 'GATEWAY_BEATS'],
    ['reconciler', 'RECONCILER'],
  ] as const)('%s uses its own bucket with its own rights', async (identity, bucket) => {
    await as(identity, async (connection) => {
      const entries = openBucket(connection, { bucket, schema: z.string(), deadlineMs: 5_000 });
      const revision = await entries.create('call.CA1', 'first');
      expect(await entries.update('call.CA1', 'second', revision ?? -1)).toBeGreaterThan(0);
      expect(await entries.get('call.CA1')).toMatchObject({ value: 'second' });
      expect(await entries.delete('call.CA1')).toBe(true);
      expect(await entries.get('call.CA1')).toBeNull();
    });
  });
});

it('media-gateway may see how full the bucket of its calls is', async () => {
  await as('media-gateway', async (connection) => {
    const entries = openBucket(connection, { bucket: 'GATEWAY_CALLS', schema: z.string(), deadlineMs: 5_000 });
    expect(await entries.filled()).toBeLessThan(0.1);
  });
});

describe('the rights that services need', () => {
  const brokers: Broker[] = [];
  const log = keepingLog();
  const connect = async (identity: Identity) => {
    const broker = await connectBroker({ ...who(identity, log), onClosed: () => undefined });
    brokers.push(broker);
    return broker;
  };
  afterAll(() => Promise.all(brokers.map((broker) => broker.close())));

  it('a large call goes from the gateway through three stages, with a crash count, what was paid, and a dead letter', async () => {
    const names = ['media-gateway', 'transcriber', 'summarizer', 'extractor', 'callctl'] as const;
    const [gateway, first, second, third, operator] = await Promise.all(names.map(connect));
    if (!gateway || !first || !second || !third || !operator) throw new Error('not connected');
    const metrics = keepingMetrics();
    const running = { crashPoint: () => undefined, timing: QUICK, logger: log, metrics };
    let timesPaid = 0;
    const event = callEnded();
    const text = 'א'.repeat(350_000);
    const stages = await Promise.all([
      first.startStage({
        ...running,
        stage: 'transcriber',
        handOn: async () => [],
        handle: async (received, { paid }) => {
          await paid.once('first', z.string(), async () => ((timesPaid += 1), 'words'));
          if (received.attempt === 1) throw new Error('again, so that count and bucket are used');
          return [callTranscribed(received, text)];
        },
      }),
      second.startStage({
        ...running,
        stage: 'summarizer',
        handOn: async () => [],
        handle: async (received) => [callSummarized(received, 'short')],
      }),
      third.startStage({
        ...running,
        stage: 'extractor',
        handOn: async () => [],
        handle: async (received) => {
          const { data: _data, ...envelope } = received;
          return [
            { ...envelope, type: 'call.extracted', id: `${received.callSid}:extractor:r1`, data: { notify: true } },
          ];
        },
      }),
    ]);
    await gateway.publish({
      ...event,
      data: { ...event.data, liveTranscript: [{ speaker: 'caller', text: 'x', startMs: 0 }] },
    });
    await until(
      'the notice is there',
      async () => (await operator.lastEvent('call.extracted', event.businessId, event.callSid)) !== null,
    );
    expect((await operator.lastEvent('call.summarized', event.businessId, event.callSid))?.data.transcript?.text).toBe(
      `caller: ${text}`,
    );
    expect(metrics.settled.map(({ outcome }) => outcome)).toEqual(['retried', 'done', 'done', 'done']);
    expect(timesPaid).toBe(1);
    await as('callctl', ({ js }) => js.publish(`call.summarized.${CALL}`, 'junk'));
    await until(
      'the dead letter is there',
      async () => (await operator.lastDeadLetter('biz_1', CALL.slice(6))) !== null,
    );
    const denied = log.lines.filter(({ fields }) => JSON.stringify(fields).includes('PERMISSIONS'));
    expect(denied).toEqual([]);
    await Promise.all(stages.map((stage) => stage.stop()));
  });
});
