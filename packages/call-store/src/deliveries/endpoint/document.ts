import { Schema } from 'mongoose';
import type { Endpoint } from './endpoint.ts';

export const ENDPOINTS = 'webhook_endpoints';

/** An endpoint as it is kept. A date that is null is left out, so that the partial index over `nextDueAt` holds what may be due. */
export type EndpointDocument = Omit<Endpoint, 'id' | 'nextDueAt'> & {
  readonly _id: string;
  readonly nextDueAt?: Date;
  readonly updatedAt: Date;
};

/** What filters name; the rest is kept as it is. */
export const endpointSchema = new Schema<EndpointDocument>(
  { _id: { type: String, required: true }, state: String, nextDueAt: Date, version: Number, updatedAt: Date },
  { collection: ENDPOINTS, versionKey: false, strict: false, autoCreate: false, autoIndex: false },
);

export function toEndpoint(document: EndpointDocument): Endpoint {
  const { _id: id, nextDueAt, updatedAt: _updatedAt, ...rest } = document;
  return { ...rest, id, nextDueAt: nextDueAt ?? null };
}

export function toDocument({ id, nextDueAt, ...rest }: Endpoint): Omit<EndpointDocument, 'updatedAt'> {
  return { _id: id, ...rest, ...(nextDueAt === null ? {} : { nextDueAt }) };
}
