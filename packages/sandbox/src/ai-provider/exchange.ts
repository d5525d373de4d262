import { setTimeout as wait } from 'node:timers/promises';
import type { FastifyReply } from 'fastify';
import { ApiError } from './api-error.ts';
import type { Dialect } from './dialect.ts';
import type { AiFault, Faults } from './faults.ts';
import type { Ledger } from './ledger.ts';

/** What every route works with. `closing` aborts when the provider closes. */
export type ExchangeDeps = {
  readonly faults: Faults;
  readonly ledger: Ledger;
  readonly dialect: Dialect;
  readonly closing: AbortSignal;
};

/**
 * Shows the part of a fault that is about the connection. Returns false when the request has had its answer, or never gets one;
 * true when the route goes on. Throws the error of a `status` fault.
 */
export async function survives(
  fault: AiFault | undefined,
  reply: FastifyReply,
  closing: AbortSignal,
): Promise<boolean> {
  switch (fault?.kind) {
    case 'status':
      throw statusError(fault);
    case 'delay':
      return wait(fault.ms, true, { signal: closing }).catch(() => leaveOpen(reply));
    case 'hang':
      return leaveOpen(reply);
    case 'timeout':
      leaveOpen(reply);
      reply.raw.writeHead(200, { 'content-type': 'application/json' });
      reply.raw.write(' ');
      return false;
    case 'disconnect':
      leaveOpen(reply);
      reply.raw.destroy();
      return false;
    default:
      return true;
  }
}

/** The error of a fault that is a status. */
export function statusError(fault: AiFault & { readonly kind: 'status' }): ApiError {
  const { status, code, retryAfter } = fault;
  return new ApiError(status, `The sandbox was told to answer ${status}.`, { code, retryAfter });
}

/** Takes the answer away from fastify; the socket ends when the client leaves or the provider closes. */
function leaveOpen(reply: FastifyReply): false {
  reply.hijack();
  return false;
}
