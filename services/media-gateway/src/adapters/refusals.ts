import type { Socket } from 'node:net';
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Logger } from '@pipeline/runtime';

/** How this server says no, whatever it is asked: one small body that tells a stranger nothing. */
const BODY = JSON.stringify({ error: 'refused' });

export type Refusals = {
  /** Answers and counts. `reason` is a label of a metric and never leaves the process. */
  refuse(reply: FastifyReply, status: number, reason: string): FastifyReply;
  /** Answers what the HTTP parser could not read, without an application around it. */
  refuseSocket(error: unknown, socket: Socket): void;
  /** Answers errors and unknown paths of an app in the same voice. */
  addTo(app: FastifyInstance): void;
};

export function createRefusals(deps: {
  readonly onRejected: (reason: string) => void;
  readonly logger: Logger;
}): Refusals {
  const refuse: Refusals['refuse'] = (reply, status, reason) => {
    deps.onRejected(reason);
    return reply.code(status).type('application/json').send(BODY);
  };
  return {
    refuse,
    refuseSocket: (error, socket) => {
      deps.onRejected('http');
      const status = STATUS_OF_PARSER.get(codeOf(error)) ?? '400 Bad Request';
      if (!socket.writable) return void socket.destroy();
      // The rest of what the client sends is not read: a reset would overtake our answer, so the socket is ended first.
      socket.end(`HTTP/1.1 ${status}\r\n${HEAD}\r\n\r\n${BODY}`, () => socket.destroy());
    },
    addTo: (app) => {
      app.addHook('onSend', async (_request, reply) => void reply.header('cache-control', 'no-store'));
      app.setNotFoundHandler((_request, reply) => refuse(reply, 404, 'path'));
      app.setErrorHandler((error, request, reply) => {
        const status = statusOf(error);
        if (status < 500) return refuse(reply, status, 'request');
        deps.logger.error({ err: error, path: request.routeOptions.url }, 'a request of Twilio failed');
        return refuse(reply, status, 'internal');
      });
    },
  };
}

const HEAD = [
  'Content-Type: application/json',
  `Content-Length: ${BODY.length}`,
  'Cache-Control: no-store',
  'Connection: close',
].join('\r\n');

const STATUS_OF_PARSER: ReadonlyMap<string, string> = new Map([
  ['HPE_HEADER_OVERFLOW', '431 Request Header Fields Too Large'],
  ['ERR_HTTP_REQUEST_TIMEOUT', '408 Request Timeout'],
]);

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

function statusOf(error: unknown): number {
  const status: unknown = error instanceof Error && 'statusCode' in error ? error.statusCode : undefined;
  return typeof status === 'number' && status >= 400 && status < 600 ? status : 500;
}
