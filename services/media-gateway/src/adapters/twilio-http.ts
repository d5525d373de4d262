import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { Logger } from '@pipeline/runtime';
import type { Answer, RingingCall } from '../answer-call.ts';
import type { Apology } from '../apologise.ts';
import type { CallStatus, Noted } from '../note-status.ts';
import { addMediaStream, type MediaStreamDeps } from './media-stream.ts';
import { guardConnections } from './connection-guard.ts';
import { parseForm } from './form-body.ts';
import { createRefusals, type Refusals } from './refusals.ts';
import { createFormReader, type FormReader } from './twilio-forms.ts';
import { isSignedByTwilio, type SignedFields } from './twilio-signature.ts';
import { hangUpTwiml, noticeTwiml, twimlOf } from './twiml.ts';

export type TwilioDeps = {
  /** The origin that Twilio calls, `https://` and a host, as it signs it. */
  readonly publicBaseUrl: string;
  readonly accountSid: string;
  readonly authTokens: readonly string[];
  readonly answer: (call: RingingCall, signal: AbortSignal) => Promise<Answer>;
  /** What to say to a caller whose voice webhook failed, and to one whose media stream is over. */
  readonly apologiseForSilence: (call: RingingCall, signal: AbortSignal) => Promise<Apology>;
  readonly apologiseForEnd: (call: RingingCall, signal: AbortSignal) => Promise<Apology>;
  readonly note: (status: CallStatus, signal: AbortSignal) => Promise<Noted>;
  /** Milliseconds in which a call is answered, whatever hangs. Default 10 s. */
  readonly answerDeadlineMs?: number;
  /** Milliseconds that a status callback may wait for the broker. Default 10 s: Twilio gives up after 15. */
  readonly statusDeadlineMs?: number;
  /** Milliseconds in which a request must have come, with its headers. Default 10 s. */
  readonly requestDeadlineMs?: number;
  readonly onRejected: (reason: string) => void;
  readonly logger: Logger;
} & Pick<MediaStreamDeps, 'isOpen' | 'maxStreams' | 'maxSpeed' | 'openStream' | 'startDeadlineMs'>;

const VOICE = '/twilio/voice';
const STATUS = '/twilio/status';
const FALLBACK = '/twilio/fallback';
const AFTER_STREAM = '/twilio/after-stream';
const MEDIA = '/twilio/media';

const MAX_BODY_BYTES = 65_536;
/** The caller hears it ring, or nothing, meanwhile. Twilio gives up after 15 s. */
const ANSWER_DEADLINE_MS = 10_000;
const STATUS_DEADLINE_MS = 10_000;
/** The owner of the call may take its grace, 10 s at most, before it says how the call ended. Twilio gives up after 15. */
const AFTER_STREAM_DEADLINE_MS = 13_000;
const REQUEST_DEADLINE_MS = 10_000;

/** Sockets besides the media streams: webhooks, and whoever else knocks. */
const MAX_OTHER_SOCKETS = 1_000;
const MAX_STRANGERS = 200;

/** Everything that Twilio calls, apart from listening: signed webhooks and the media stream. */
export async function createTwilioApp(deps: TwilioDeps): Promise<FastifyInstance> {
  const refusals = createRefusals(deps);
  const { requestDeadlineMs = REQUEST_DEADLINE_MS } = deps;
  const app = Fastify({
    logger: false,
    bodyLimit: MAX_BODY_BYTES,
    requestTimeout: requestDeadlineMs,
    exposeHeadRoutes: false,
    http: { headersTimeout: requestDeadlineMs, connectionsCheckingInterval: Math.min(1_000, requestDeadlineMs) },
    clientErrorHandler: refusals.refuseSocket,
    frameworkErrors: (_error, _request, reply) => void refusals.refuse(reply, 400, 'request'),
  });
  app.removeAllContentTypeParsers(); // text/plain would be taken as a string, JSON is not spoken here
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'buffer', bodyLimit: MAX_BODY_BYTES },
    async (_request: FastifyRequest, body: Buffer) => parseForm(body),
  );
  refusals.addTo(app);
  const sockets = { maxSockets: deps.maxStreams + MAX_OTHER_SOCKETS, maxStrangers: MAX_STRANGERS };
  const guard = guardConnections(app.server, sockets, deps.onRejected);
  const onGenuine = (request: FastifyRequest): void => guard.prove(request.raw.socket);
  const signed = (path: string): SignedRoute => signedOver(path, deps, refusals, onGenuine);

  const forms = createFormReader(deps.accountSid);
  const mediaUrl = `${deps.publicBaseUrl.replace(/^https/, 'wss')}${MEDIA}`;
  const urls = { media: mediaUrl, afterStream: `${deps.publicBaseUrl}${AFTER_STREAM}` };

  app.post<{ Body: SignedFields }>(VOICE, signed(VOICE), async (request, reply) => {
    const call = forms.readVoice(request.body);
    if (call === null) return refusals.refuse(reply, 400, 'form');
    const answer = await deps.answer(call, AbortSignal.timeout(deps.answerDeadlineMs ?? ANSWER_DEADLINE_MS));
    if (answer.kind !== 'connected') deps.onRejected(answer.kind);
    return reply.type('text/xml').send(twimlOf(answer, call, urls));
  });

  app.post<{ Body: SignedFields }>(STATUS, signed(STATUS), async (request, reply) => {
    const status = forms.readStatus(request.body);
    if (status === null) return refusals.refuse(reply, 400, 'form');
    const noted = await deps.note(status, AbortSignal.timeout(deps.statusDeadlineMs ?? STATUS_DEADLINE_MS));
    if (noted.kind === 'not_ours') deps.onRejected('not_ours');
    return reply.code(noted.kind === 'unnoted' ? 503 : 204).send();
  });

  addApologies(app, forms, signed, refusals, deps);

  const { authTokens } = deps;
  await addMediaStream(app, MEDIA, {
    ...deps,
    onGenuine,
    isSigned: (signature) => isSignedByTwilio(authTokens, { signature, url: mediaUrl, fields: {} }),
  });
  return app;
}

/** Where Twilio goes when our answer failed, and when the media stream of a call that still stands is over. */
function addApologies(
  app: FastifyInstance,
  forms: FormReader,
  signed: (path: string) => SignedRoute,
  refusals: Refusals,
  deps: TwilioDeps,
): void {
  const twiml = (apology: Apology): string =>
    apology.kind === 'nothing' ? hangUpTwiml() : noticeTwiml(apology.notice, apology.language);

  app.post<{ Body: SignedFields }>(FALLBACK, signed(FALLBACK), async (request, reply) => {
    const form = forms.readFallback(request.body);
    if (form === null) return refusals.refuse(reply, 400, 'form');
    deps.onRejected('fallback');
    deps.logger.error({ callSid: form.call.callSid, code: form.code }, 'Twilio had no answer from the voice URL');
    const apology = await deps.apologiseForSilence(form.call, AbortSignal.timeout(ANSWER_DEADLINE_MS));
    return reply.type('text/xml').send(twiml(apology));
  });

  app.post<{ Body: SignedFields }>(AFTER_STREAM, signed(AFTER_STREAM), async (request, reply) => {
    const call = forms.readVoice(request.body);
    if (call === null) return refusals.refuse(reply, 400, 'form');
    const apology = await deps.apologiseForEnd(call, AbortSignal.timeout(AFTER_STREAM_DEADLINE_MS));
    return reply.type('text/xml').send(twiml(apology));
  });
}

type Hook<R extends FastifyRequest> = (request: R, reply: FastifyReply) => Promise<FastifyReply | undefined>;
type FormRequest = FastifyRequest<{ Body: SignedFields }>;
type SignedRoute = { readonly onRequest: Hook<FastifyRequest>; readonly preHandler: Hook<FormRequest> };

/** Two checks: a cheap one before the body is read, then the signature over our own URL and every pair that came. */
function signedOver(
  path: string,
  deps: TwilioDeps,
  refusals: Refusals,
  onGenuine: (request: FastifyRequest) => void,
): SignedRoute {
  const url = `${deps.publicBaseUrl}${path}`;
  return {
    onRequest: async (request, reply) => {
      const signature = request.headers['x-twilio-signature'];
      const isPossible = typeof signature === 'string' && SIGNATURE.test(signature) && request.url === path;
      return isPossible ? undefined : refusals.refuse(reply, 403, 'signature');
    },
    preHandler: async (request, reply) => {
      const signature = request.headers['x-twilio-signature'];
      const fields = request.body ?? {};
      const isGenuine = typeof signature === 'string' && isSignedByTwilio(deps.authTokens, { signature, url, fields });
      if (!isGenuine) return refusals.refuse(reply, 403, 'signature');
      onGenuine(request);
      return undefined;
    },
  };
}

/** The base64 of the 20 bytes of an HMAC-SHA1. */
const SIGNATURE = /^[A-Za-z0-9+/]{27}=$/;
