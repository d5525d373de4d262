import { callLogSchema } from '@pipeline/contracts';
import { WEBHOOK_KEYS, WEBHOOK_SOURCES } from '@pipeline/contracts/webhook';
import type { CodeEvidence, RunEvidence } from './evidence.ts';

/** One check of a clean pipeline: what it holds, and every reason why it does not hold for this evidence (none: it passes). */
export type Law = {
  readonly number: number;
  readonly what: string;
  readonly violations: (code: CodeEvidence, run: RunEvidence) => string[];
};

/** Modules that belong to later stages; reaching one of them is knowing one of them. */
const LATER =
  /(services\/(transcriber|summarizer|extractor|webhook-dispatcher|reconciler)\/|packages\/call-store\/src\/(call-log|call-log-writer|deliveries)\/|packages\/egress\/|packages\/contracts\/src\/webhook(-attempts|-events)?\.ts$)/;
const HTTP_CLIENTS = new Set(['undici', 'standardwebhooks', 'svix', 'axios', 'got', 'ky', 'node-fetch']);
const WRITER = /packages\/call-store\/src\/call-log-writer\//;
/** From hang-up to a gateway that has nothing left to do, with no later stage running. */
const DONE_WITHIN_MS = 8_000;

export const LAWS: readonly Law[] = [
  {
    number: 1,
    what: 'no webhook code is reachable from media-gateway',
    violations: ({ gateway }) => [
      ...[...gateway.files]
        .filter((file) => LATER.test(file))
        .map((file) => `reaches ${gateway.pathTo(file).join(' -> ')}`),
      ...[...gateway.packages]
        .filter((name) => HTTP_CLIENTS.has(name))
        .map((name) => `reaches the HTTP client ${name}`),
    ],
  },
  {
    number: 2,
    what: 'media-gateway does not wait for later stages',
    violations: (_code, { alone, refusals }) => [
      ...(alone.endedStored ? [] : ['call.ended was not stored while no later stage was running']),
      ...(alone.statusAnswer !== null && alone.statusAnswer < 300
        ? []
        : [`the status callback was answered ${alone.statusAnswer ?? 'not at all'}`]),
      ...(alone.idleAfterMs === null
        ? [`still busy with the call ${DONE_WITHIN_MS} ms after hang-up, with no later stage running`]
        : []),
      ...refusals
        .filter((one) => one.identity === 'media-gateway' && !one.refused)
        .map((one) => `media-gateway may ${one.what}`),
    ],
  },
  {
    number: 3,
    what: 'the webhook is sent by webhook-dispatcher only',
    violations: (_code, { withoutDispatcher, withDispatcher }) => [
      ...(withoutDispatcher.callLogStored ? [] : ['no CallLog was stored while webhook-dispatcher was down']),
      ...(withoutDispatcher.requests === 0
        ? []
        : [`${withoutDispatcher.requests} requests reached the endpoint while webhook-dispatcher was down`]),
      ...(withDispatcher.bodies.length === 1
        ? []
        : [`${withDispatcher.bodies.length} webhooks arrived once webhook-dispatcher ran`]),
    ],
  },
  {
    number: 4,
    what: 'CallLog has the fields of the payload, each with one writer',
    violations: (code, run) => [...unknownSources(), ...foreignWriters(code, run), ...differences(run)],
  },
  {
    number: 5,
    what: 'media-gateway says that the pipeline takes over',
    violations: (_code, { callSid, gatewayLines }) => {
      const said = gatewayLines.filter(
        (line) => line.fields['callSid'] === callSid && /pipeline will handle everything/i.test(line.message),
      );
      return said.length === 1 ? [] : [`said ${said.length} times for the call instead of once`];
    },
  },
];

function unknownSources(): string[] {
  const known = new Set(Object.keys(callLogSchema.shape));
  return Object.entries(WEBHOOK_SOURCES).flatMap(([key, sources]) =>
    sources.filter((source) => !known.has(source)).map((source) => `${key}: CallLog has no ${source}`),
  );
}

function foreignWriters(code: CodeEvidence, { refusals }: RunEvidence): string[] {
  const reaching = Object.entries(code.programs).filter(([, graph]) =>
    [...graph.files].some((file) => WRITER.test(file)),
  );
  const names = reaching.map(([name]) => name).filter((name) => name !== 'extractor');
  const writers = refusals.filter((one) => one.what === 'write calls' && one.identity !== 'extractor' && !one.refused);
  return [
    ...names.map((name) => `${name} reaches the CallLog writer`),
    ...(reaching.some(([name]) => name === 'extractor') ? [] : ['extractor does not reach the CallLog writer']),
    ...writers.map((one) => `the database lets ${one.identity} write calls`),
  ];
}

/** The body that arrived, held against the stored document by a table of its own. */
function differences({ callLog, withDispatcher }: RunEvidence): string[] {
  const [body] = withDispatcher.bodies;
  if (callLog === null || body === undefined) return ['there is no stored CallLog and webhook to compare'];
  const expected: Record<string, unknown> = {
    event_type: 'call.completed',
    timestamp: `${callLog.stored_at.slice(0, 19)}Z`,
    business_id: callLog.businessId,
    call_id: callLog.callSid,
    phone: callLog.direction === 'inbound' ? callLog.from : callLog.to, // the dialogue's numbers are all E.164
    city: callLog.extracted_city,
    service_category: callLog.extracted_service,
    summary: callLog.summary,
    transcript: callLog.final_transcript,
    direction: callLog.direction,
    duration_sec: callLog.duration_sec,
  };
  const order = Object.keys(body).slice(0, WEBHOOK_KEYS.length).join();
  return [
    ...(order === WEBHOOK_KEYS.join() ? [] : [`the body begins with ${order}`]),
    ...WEBHOOK_KEYS.filter((key) => body[key] !== expected[key]).map((key) => `${key} is not what the CallLog holds`),
  ];
}
