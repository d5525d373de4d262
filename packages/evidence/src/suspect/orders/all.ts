import { ARABIC_ORDERS } from './arabic.ts';
import { ENGLISH_ORDERS } from './english.ts';
import { HEBREW_ORDERS } from './hebrew.ts';
import { RUSSIAN_ORDERS } from './russian.ts';
import { createOrderCheck } from './spoken-orders.ts';
import { SPANISH_ORDERS } from './spanish.ts';

/** Checks of spoken orders to a machine or to whoever keeps the records, over a stream in which sentences begin. */
export const ORDER_CHECKS: readonly ((stream: string) => boolean)[] = [
  ENGLISH_ORDERS,
  HEBREW_ORDERS,
  ARABIC_ORDERS,
  RUSSIAN_ORDERS,
  SPANISH_ORDERS,
].map(createOrderCheck);
