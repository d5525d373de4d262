import { NatsError } from 'nats';
import { expect, test } from 'vitest';
import { BrokerError, brokerWords } from './broker-error.ts';

test.each([
  [new NatsError('Consumer Deleted', '409'), 'Consumer Deleted'],
  [new NatsError('Exceeded MaxWaiting', '409'), 'Exceeded MaxWaiting'],
  [new NatsError('two\nlines \u001b[2J', '409'), 'two?lines ?[2J'],
  [new NatsError('x'.repeat(5_000), '500'), 'x'.repeat(200)],
  [new BrokerError('not connected'), 'not connected'],
  [new TypeError("the words of somebody's call"), 'TypeError'],
  ['anything', 'failed'],
])('of a failure the words of the broker are told, in one short line, and nobody else’s: %#', (error, words) => {
  expect(brokerWords(error)).toBe(words);
});
