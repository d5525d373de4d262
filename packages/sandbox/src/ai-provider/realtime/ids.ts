import { randomUUID } from 'node:crypto';

/** An id as the API makes them: what it is for, and 21 characters that nobody else has. */
export function newId(prefix: 'event' | 'item' | 'resp' | 'sess' | 'conv' | 'call'): string {
  return `${prefix}_${randomUUID().replaceAll('-', '').slice(0, 21)}`;
}
