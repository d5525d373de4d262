import formbody from '@fastify/formbody';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { Logger } from '@pipeline/runtime';
import type { Answer, RingingCall } from '../answer-call.ts';
import type { CallStatus, Noted } from '../note-status.ts';
import { addMediaStream, type MediaStreamDeps } from './media-stream.ts';
import { createFormReader } from './twilio-forms.ts';
import { isSignedByTwilio, parseForm, type SignedFields } from './twilio-signature.ts';
import { twimlOf } from './twiml.ts';

export type TwilioDeps = {
  /** The origin that Twilio calls, `https://` and a host, as it signs it. */
  readonly publicBaseUrl: string;
  readonly accountSid: string;
  readonly authTokens: readonly string[];
  readonly answer: (call: RingingCall, signal: AbortSignal) => Promise<Answer>;
  readonly note: (status: CallStatus, signal: AbortSignal) => Promise<Noted>;
  /** Milliseconds that a status callback may wait for the broker. Default 10 s: Twilio gives up after 15. */
  readonly statusDeadlineMs?: number;
  readonly onRejected: (reason: string) => void;
  readonly logger: Logger;
} & Pick<MediaStreamDeps, 'isOpen' | 'maxStreams' | 'openStream' | 'startDeadlineMs'>;

const VOICE = '/twilio/voice';
const STATUS = '/twilio/status';
const MEDIA = '/twilio/media';

const MAX_BODY_BYTES = 65_536;
/** The caller hears nothing meanwhile. */
const ANSWER_DEADLINE_MS = 5_000;
const STATUS_DEADLINE_MS = 10_000;

/** Everything that Twilio calls, apart from listening: two signed webhooks and the media stream. */
export async function createTwilioApp(deps: TwilioDeps): Promise<FastifyInstance> {
  const app = Fastify({
    logger: false,
    bodyLimit: MAX_BODY_BYTES,
    requestTimeout: 10_000,
    exposeHeadRoutes: false,
    http: { headersTimeout: 10_000 },
  });
  app.removeAllContentTypeParsers(); // text/plain would be taken as a string, JSON is not spoken here
  await app.register(formbody, { parser: parseForm, bodyLimit: MAX_BODY_BYTES });
  refuseInOneVoice(app, deps);

  const forms = createFormReader(deps.accountSid);
  const mediaUrl = `${deps.publicBaseUrl.replace(/^https/, 'wss')}${MEDIA}`;

  app.post<{ Body: SignedFields }>(VOICE, signedOver(VOICE, deps), async (request, reply) => {
    const call = forms.readVoice(request.body);
    if (call === null) return refuse(reply, deps, 400, 'form');
    const answer = await deps.answer(call, AbortSignal.timeout(ANSWER_DEADLINE_MS));
    if (answer.kind !== 'connected') deps.onRejected(answer.kind);
    return reply.type('text/xml').send(twimlOf(answer, call, mediaUrl));
  });

  app.post<{ Body: SignedFields }>(STATUS, signedOver(STATUS, deps), async (request, reply) => {
    const status = forms.readStatus(request.body);
    if (status === null) return refuse(reply, deps, 400, 'form');
    const noted = await deps.note(status, AbortSignal.timeout(deps.statusDeadlineMs ?? STATUS_DEADLINE_MS));
    if (noted.kind === 'not_ours') deps.onRejected('not_ours');
    return reply.code(noted.kind === 'unnoted' ? 503 : 204).send();
  });

  const { authTokens } = deps;
  await addMediaStream(app, MEDIA, {
    ...deps,
    isSigned: (signature) => isSignedByTwilio(authTokens, { signature, url: mediaUrl, fields: {} }),
  });
  return app;
}

type Hook<R extends FastifyRequest> = (request: R, reply: FastifyReply) => Promise<FastifyReply | undefined>;
type FormRequest = FastifyRequest<{ Body: SignedFields }>;

/** Two checks: a cheap one before the body is read, then the signature over our own URL and every pair that came. */
function signedOver(
  path: string,
  deps: TwilioDeps,
): { onRequest: Hook<FastifyRequest>; preHandler: Hook<FormRequest> } {
  const url = `${deps.publicBaseUrl}${path}`;
  return {
    onRequest: async (request, reply) => {
      const isPossible = typeof request.headers['x-twilio-signature'] === 'string' && request.url === path;
      return isPossible ? undefined : refuse(reply, deps, 403, 'signature');
    },
    preHandler: async (request, reply) => {
      const signature = request.headers['x-twilio-signature'];
      const fields = request.body ?? {};
      const isGenuine = typeof signature === 'string' && isSignedByTwilio(deps.authTokens, { signature, url, fields });
      return isGenuine ? undefined : refuse(reply, deps, 403, 'signature');
    },
  };
}

/** Every refusal has the same small body; nothing tells a stranger what was wrong. */
function refuseInOneVoice(app: FastifyInstance, deps: TwilioDeps): void {
  app.addHook('onSend', async (_request, reply) => void reply.header('cache-control', 'no-store'));
  app.setNotFoundHandler((_request, reply) => refuse(reply, deps, 404, 'path'));
  app.setErrorHandler((error, request, reply) => {
    const status = statusOf(error);
    if (status >= 500) deps.logger.error({ err: error, path: request.routeOptions.url }, 'a request of Twilio failed');
    return refuse(reply, deps, status, status >= 500 ? 'internal' : 'request');
  });
}

function refuse(reply: FastifyReply, deps: TwilioDeps, status: number, reason: string): FastifyReply {
  deps.onRejected(reason);
  return reply.code(status).send({ error: 'refused' });
}

function statusOf(error: unknown): number {
  const status: unknown = error instanceof Error && 'statusCode' in error ? error.statusCode : undefined;
  return typeof status === 'number' && status >= 400 && status < 600 ? status : 500;
}
