import {
  businessSettingsSchema,
  FAILURE_CODES,
  failureOf,
  RetryLaterError,
  type BusinessSettings,
  type CallExtracted,
  type Received,
} from '@pipeline/contracts';
import { webhookBodySchema, webhookErasedSchema } from '@pipeline/contracts/webhook';
import { describe, expect, it } from 'vitest';
import { callLogWith } from './fixtures/call-log.ts';
import { handle, handOn, ownResult, type EndpointWishes, type FrozenWebhook, type StoredCall } from './handler.ts';

const CALL = 'CA00000000000000000000000000000001';
const TRACE = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
const never = new AbortController().signal;
const TOMBSTONE = {
  kind: 'erased',
  businessId: 'biz_123',
  revision: 4,
  erasedAt: '2025-12-10T08:00:00.900Z',
} as const;

describe('a notice of a stored call', () => {
  it('freezes call.completed from the CallLog and publishes nothing', async () => {
    const world = createWorld();
    expect(await world.handle(noticeOf())).toEqual([]);
    expect(world.rows).toHaveLength(1);
    expect(world.rows[0]).toMatchObject({
      webhookId: `msg_${CALL}_completed`,
      endpointId: 'biz_123',
      businessId: 'biz_123',
      callSid: CALL,
      eventType: 'call.completed',
      revision: 1,
      traceparent: TRACE,
      hasEndpoint: true,
    });
    expect(bodyOf(world.rows[0])).toMatchObject({ event_type: 'call.completed', city: 'תל אביב', call_id: CALL });
  });

  it('that comes twice freezes nothing more', async () => {
    const world = createWorld();
    await world.handle(noticeOf());
    await world.handle(noticeOf());
    expect(world.rows).toHaveLength(1);
    expect(await ownResult(noticeOf(), world.deps, never)).toEqual([]);
  });

  it('has no result of its own before it was worked, nor when only an older revision was', async () => {
    const world = createWorld({ callLog: callLogWith({ revision: 2 }) });
    expect(await ownResult(noticeOf(), world.deps, never)).toBeNull();
    await world.handle(noticeOf({ revision: 1 }));
    expect(await ownResult(noticeOf({ revision: 2 }), world.deps, never)).toEqual([]);
    expect(await ownResult(noticeOf({ revision: 3 }), world.deps, never)).toBeNull();
  });

  it('that is the first one freezes call.completed, whatever its revision', async () => {
    const world = createWorld({ callLog: callLogWith({ revision: 4 }) });
    await world.handle(noticeOf({ revision: 2, notify: false }));
    expect(world.rows.map((row) => [row.webhookId, row.revision])).toEqual([[`msg_${CALL}_completed`, 4]]);
  });

  it('of a business without a URL, or without settings, waits as a row without an endpoint', async () => {
    for (const settings of [settingsWith({ inbound_webhook_url: null }), null]) {
      const world = createWorld({ settings });
      await world.handle(noticeOf());
      expect(world.rows).toMatchObject([{ webhookId: `msg_${CALL}_completed`, hasEndpoint: false }]);
    }
  });

  it("is kept to be sent when the settings of its business make no sense, so that its call waits in nobody's way", async () => {
    const world = createWorld({ settings: new TypeError('stored settings do not fit') });
    expect(await world.handle(noticeOf())).toEqual([]);
    expect(world.rows).toMatchObject([{ webhookId: `msg_${CALL}_completed`, hasEndpoint: true }]);
    world.callLog = callLogWith({ revision: 2 });
    await expect(world.handle(noticeOf({ revision: 2 }))).rejects.toThrow('do not fit');
  });

  it('waits while the settings cannot be read for now', async () => {
    const world = createWorld({ settings: new RetryLaterError('down', { deadline: 'none' }) });
    await expect(world.handle(noticeOf())).rejects.toThrow(RetryLaterError);
    expect(world.rows).toEqual([]);
  });
});

describe('a later revision of a call', () => {
  const wanting = settingsWith({ webhook_events: ['call.updated'] });

  it('becomes call.updated under its own id when the business opted in', async () => {
    const world = createWorld({ settings: wanting });
    await world.handle(noticeOf());
    world.callLog = callLogWith({ revision: 2, extracted_city: 'חיפה' });
    await world.handle(noticeOf({ revision: 2 }));
    await world.handle(noticeOf({ revision: 2 }));
    expect(world.rows.map((row) => row.webhookId)).toEqual([`msg_${CALL}_completed`, `msg_${CALL}_updated_r2`]);
    expect(bodyOf(world.rows[1])).toMatchObject({ event_type: 'call.updated', revision: 2, city: 'חיפה' });
  });

  it.each([
    ['the business did not opt in', settingsWith({}), true],
    ['the notice asks for silence', wanting, false],
    ['the business is gone', null, true],
  ] as const)('is not sent when %s', async (_why, settings, notify) => {
    const world = createWorld({ settings: settingsWith({}) });
    await world.handle(noticeOf());
    world.settings = settings;
    world.callLog = callLogWith({ revision: 2 });
    await world.handle(noticeOf({ revision: 2, notify }));
    expect(world.rows).toHaveLength(1);
  });

  it('that is not higher than every frozen one is not sent', async () => {
    const world = createWorld({ settings: wanting, callLog: callLogWith({ revision: 3 }) });
    await world.handle(noticeOf({ revision: 1 }));
    await world.handle(noticeOf({ revision: 2 }));
    await world.handle(noticeOf({ revision: 3 }));
    expect(world.rows).toHaveLength(1);
  });

  it('is sent when it loses the race for call.completed against the notice of the first one', async () => {
    const world = createWorld({ settings: wanting, callLog: callLogWith({ revision: 2 }) });
    world.beforeFreeze = () => world.insert({ webhookId: `msg_${CALL}_completed`, revision: 1 });
    await world.handle(noticeOf({ revision: 2 }));
    expect(world.rows.map((row) => [row.webhookId, row.revision])).toEqual([
      [`msg_${CALL}_completed`, 1],
      [`msg_${CALL}_updated_r2`, 2],
    ]);
  });
});

describe('a notice that does not fit its CallLog', () => {
  it('B46: without a CallLog, or with an older one, is tried again until a deadline', async () => {
    for (const stored of [
      { kind: 'none' } as const,
      { kind: 'call', callLog: callLogWith({ revision: 1 }) } as const,
    ]) {
      const world = createWorld({ stored });
      await expect(world.handle(noticeOf({ revision: 2 }))).rejects.toMatchObject({
        name: 'RetryLaterError',
        deadline: 'provider',
      });
      expect(world.rows).toEqual([]);
    }
  });

  it('B48: of an erased or expired call freezes nothing', async () => {
    for (const stored of [TOMBSTONE, { kind: 'expired' }] as const) {
      const world = createWorld({ stored });
      expect(await world.handle(noticeOf({ revision: 5 }))).toEqual([]);
      expect(world.rows).toEqual([]);
    }
  });

  it('of an erased call tells a business that asked for it, once, and nothing but which call', async () => {
    const settings = settingsWith({ webhook_events: ['call.erased'] });
    const world = createWorld({ stored: TOMBSTONE, settings });
    await world.handle(noticeOf({ revision: 5 }));
    await world.handle(noticeOf({ revision: 5 }));
    expect(world.rows).toMatchObject([
      { webhookId: `msg_${CALL}_erased`, eventType: 'call.erased', revision: 4, traceparent: TRACE },
    ]);
    const body: unknown = JSON.parse(Buffer.from(world.rows[0]?.body ?? []).toString('utf8'));
    expect(webhookErasedSchema.parse(body)).toEqual(body);
    expect(body).toEqual({
      event_type: 'call.erased',
      timestamp: '2025-12-10T08:00:00Z',
      business_id: 'biz_123',
      call_id: CALL,
      revision: 4,
      schema_version: 1,
    });
  });

  it('B47: that names another business sends nothing to anybody', async () => {
    for (const revision of [1, 2]) {
      const world = createWorld();
      await expect(world.handle(noticeOf({ businessId: 'biz_other', revision }))).rejects.toMatchObject({
        code: 'BUSINESS_UNKNOWN',
      });
      expect(world.rows).toEqual([]);
    }
  });
});

describe('a notice that this stage cannot work', () => {
  const letGo = new Set(['OBJECT_MISSING', 'BUSINESS_UNKNOWN', 'WORKER_CRASHED']);

  it.each(FAILURE_CODES.filter((code) => !letGo.has(code)))(
    'stays in the stream after %s: its webhook must not be lost',
    async (code) => {
      await expect(handOn(noticeOf(), failureOf(code))).rejects.toMatchObject({
        name: 'RetryLaterError',
        deadline: 'none',
      });
    },
  );

  it.each([...letGo])('is let go after %s', async (code) => {
    expect(await handOn(noticeOf(), failureOf(FAILURE_CODES.find((known) => known === code)!))).toEqual([]);
  });
});

type Row = Partial<FrozenWebhook> & { webhookId: string; revision: number; hasEndpoint?: boolean };

/** A store in memory whose unique ids behave as the real ones. */
function createWorld(
  given: {
    settings?: BusinessSettings | Error | null;
    callLog?: ReturnType<typeof callLogWith>;
    stored?: StoredCall;
  } = {},
) {
  const rows: Row[] = [];
  const world = {
    rows,
    settings: given.settings === undefined ? settingsWith({}) : given.settings,
    callLog: given.callLog ?? callLogWith(),
    beforeFreeze: (): void => undefined,
    insert: (row: Row): 'inserted' | 'exists' => {
      if (rows.some((there) => there.webhookId === row.webhookId)) return 'exists';
      rows.push(row);
      return 'inserted';
    },
    deps: {
      traceparent: TRACE,
      findCall: async (): Promise<StoredCall> => given.stored ?? { kind: 'call', callLog: world.callLog },
      findSettings: async () => {
        if (world.settings instanceof Error) throw world.settings;
        return world.settings;
      },
      frozenRevisions: async () => rows.map((row) => row.revision),
      freeze: async (webhook: FrozenWebhook, endpoint: EndpointWishes | null) => {
        world.beforeFreeze();
        return world.insert({ ...webhook, hasEndpoint: endpoint !== null });
      },
    },
    handle: (notice: Received<CallExtracted>) => handle(notice, world.deps, never),
  };
  return world;
}

function noticeOf(changes: { revision?: number; notify?: boolean; businessId?: string } = {}): Received<CallExtracted> {
  const { revision = 1, notify = true, businessId = 'biz_123' } = changes;
  return {
    type: 'call.extracted',
    version: 1,
    id: `${CALL}:extractor:r${revision}`,
    occurredAt: '2025-12-09T10:30:01.000Z',
    businessId,
    callSid: CALL,
    revision,
    data: { notify },
    attempt: 1,
  };
}

function settingsWith(changes: { inbound_webhook_url?: string | null; webhook_events?: string[] }): BusinessSettings {
  return businessSettingsSchema.parse({
    id: 'biz_123',
    name: 'Business',
    agent: { instructions: 'Help.', greeting: 'Hello.' },
    inbound_webhook_url: 'https://hooks.example.org/in',
    webhook_secrets: ['whsec_cGVyZmVjdC1jYWxsLXBpcGVsaW5lLXRlc3Qta2V5LTA='],
    ...changes,
  });
}

function bodyOf(row: Row | undefined) {
  return webhookBodySchema.parse(JSON.parse(Buffer.from(row?.body ?? []).toString('utf8')));
}
