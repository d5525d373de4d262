import { expect, it } from 'vitest';
import { createCertificateWatch } from './certificates.ts';

const DAY_MS = 86_400_000;

it('an endpoint counts while its certificate ends within 14 days, until it answers with a new one', () => {
  let now = Date.parse('2025-12-09T10:30:00Z');
  const watch = createCertificateWatch(() => now);
  const inDays = (days: number): Date => new Date(now + days * DAY_MS);
  watch.note('soon', inDays(13));
  watch.note('late', inDays(14));
  expect(watch.countEnding()).toBe(1);
  // An attempt without TLS, or without an answer, tells nothing new.
  watch.note('soon', undefined);
  expect(watch.countEnding()).toBe(1);
  watch.note('soon', inDays(90));
  expect(watch.countEnding()).toBe(0);
  now += 1;
  expect(watch.countEnding()).toBe(1);
});

it('no more endpoints are remembered than have a place', () => {
  const watch = createCertificateWatch(() => 0);
  for (let place = 0; place < 5_000; place += 1) watch.note(`biz_${place}`, new Date(DAY_MS));
  expect(watch.countEnding()).toBe(4_096);
});
