import { DiscardPolicy, nanos } from 'nats';
import { describe, expect, it } from 'vitest';
import { compareFields } from './compare.ts';
import { configOf } from './fixtures/rig.ts';
import { claimTtlMs, createTopology, DEAD_AGE_MS } from './topology.ts';

describe('comparing what is with what is expected', () => {
  it('looks only at the fields that we set', () => {
    const actual = { discard: 'new', metadata: { '_nats.level': '1' }, max_consumers: -1 };
    expect(compareFields('S', { discard: 'new' }, actual)).toEqual([]);
  });

  it('prints a duration in seconds and names stream, consumer and field', () => {
    const [difference] = compareFields(
      'CALL_ENDED/transcriber',
      { ack_wait: nanos(60_000) },
      { ack_wait: nanos(5_000) },
    );
    expect(difference).toMatchObject({
      kind: 'differs',
      text: 'CALL_ENDED/transcriber ack_wait is 5 s, expected 60 s',
    });
  });

  it('takes a longer age or more room for wider, and less for a difference', () => {
    const kinds = [101, -1, 99, 100].map(
      (actual) => compareFields('S', { max_bytes: 100 }, { max_bytes: actual })[0]?.kind,
    );
    expect(kinds).toEqual(['wider', 'wider', 'differs', undefined]);
  });

  it('takes more messages in work than expected for wider, as they are while a raised limit is rolled out, and fewer for a difference', () => {
    const kinds = [5_000, -1, 999, 1_000].map(
      (actual) => compareFields('S/c', { max_ack_pending: 1_000 }, { max_ack_pending: actual })[0]?.kind,
    );
    expect(kinds).toEqual(['wider', 'wider', 'differs', undefined]);
  });

  it('marks what the server cannot change', () => {
    expect(compareFields('S/c', { max_waiting: 4_096 }, { max_waiting: 512 })[0]?.kind).toBe('fixed');
  });

  it('compares subjects as a set', () => {
    expect(compareFields('S', { subjects: ['b', 'a'] }, { subjects: ['a', 'b'] })).toEqual([]);
  });
});

describe('the topology', () => {
  const topology = createTopology(
    configOf('nats://127.0.0.1:4222', { STREAM_MAX_AGE_HOURS: 168, ACK_WAIT_MS: 60_000 }),
  );

  it('keeps objects longer than any event or dead letter that refers to them', () => {
    const config = configOf('nats://127.0.0.1:4222', { STREAM_MAX_AGE_HOURS: 168 });
    expect(claimTtlMs(config)).toBeGreaterThan(168 * 3_600_000 + DEAD_AGE_MS);
    expect(claimTtlMs(config)).toBe(38 * 86_400_000);
  });

  it('never lets a stream with work in it drop an old message for a new one', () => {
    const dropping = topology.streams
      .filter(({ config }) => config.discard === DiscardPolicy.Old)
      .map(({ name }) => name);
    expect(dropping).toEqual(['CALL_ADVISORIES']);
  });

  it('gives every durable the numbers of the design and no backoff of the server', () => {
    for (const { config } of topology.consumers) {
      expect(config).toMatchObject({
        ack_policy: 'explicit',
        deliver_policy: 'all',
        ack_wait: nanos(60_000),
        max_deliver: 100_000,
        max_waiting: 4_096,
        max_ack_pending: 1_000,
      });
      expect(config).not.toHaveProperty('backoff');
      expect(config).not.toHaveProperty('inactive_threshold');
    }
  });
});
