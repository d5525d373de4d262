import { expect, test } from 'vitest';
import { refusal, versionIn } from './version.ts';

test.each([
  ['nats-server: v2.15.1', '2.15.1'],
  ['db version v8.2.6\nBuild Info: {', '8.2.6'],
  ['secantusd-rs 0.5.3-beta.193\nsource: a registry', '0.5.3-beta.193'],
  ['no version here', null],
])('%j names version %j', (answer, version) => {
  expect(versionIn(answer)).toBe(version);
});

test('a nats-server below 2.10 is refused with one sentence that says what is needed', () => {
  expect(refusal('nats-server', '2.9.10')).toBe('nats-server 2.9.10 on PATH is too old, 2.10 or newer is needed');
  expect(refusal('nats-server', '1.4.0')).not.toBeNull();
  expect(refusal('nats-server', '2.10.0')).toBeNull();
  expect(refusal('nats-server', '3.0.0')).toBeNull();
});

test('a mongod that the client would refuse is refused, and of the beta only the version that was tried is taken', () => {
  expect(refusal('mongod', '4.2.24')).toContain('4.4');
  expect(refusal('mongod', '7.0.5')).toBeNull();
  expect(refusal('secantusd-rs', '0.5.3-beta.192')).toContain('0.5.3-beta.193');
  expect(refusal('secantusd-rs', '0.5.3-beta.193')).toBeNull();
});
