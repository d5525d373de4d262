import { Schema } from 'mongoose';
import { NONE_WAITING, type Endpoint } from './endpoint.ts';

export const ENDPOINTS = 'webhook_endpoints';

/** An endpoint as it is kept. A date that is null is left out, so that the partial index over `nextDueAt` holds what may be due. */
export type EndpointDocument = Omit<Endpoint, 'id' | 'nextDueAt' | 'firstsInRow'> & {
  readonly _id: string;
  /** Absent in documents of before there was a count. */
  readonly firstsInRow?: number;
  readonly nextDueAt?: Date;
  readonly updatedAt: Date;
};

/** What filters name; the rest is kept as it is. */
export const endpointSchema = new Schema<EndpointDocument>(
  { _id: { type: String, required: true }, state: String, nextDueAt: Date, version: Number, updatedAt: Date },
  { collection: ENDPOINTS, versionKey: false, strict: false, autoCreate: false, autoIndex: false },
);

/** What a document does not tell of its waiting rows, one of another version for example, the rows tell (`healDue`). */
export function toEndpoint(document: EndpointDocument): Endpoint {
  const { _id: id, nextDueAt, updatedAt: _updatedAt, waiting, ...rest } = document;
  return { firstsInRow: 0, ...rest, id, waiting: { ...NONE_WAITING, ...waiting }, nextDueAt: nextDueAt ?? null };
}

export function toDocument({ id, nextDueAt, ...rest }: Endpoint): Omit<EndpointDocument, 'updatedAt'> {
  return { _id: id, ...rest, ...(nextDueAt === null ? {} : { nextDueAt }) };
}
