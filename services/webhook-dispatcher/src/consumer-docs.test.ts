import { readFileSync, readdirSync } from 'node:fs';
import { businessSettingsSchema } from '@pipeline/contracts';
import { WEBHOOK_ATTEMPTS } from '@pipeline/contracts/webhook';
import { DRAIN_PER_SECOND, STOPPING } from '@pipeline/call-store/deliveries';
import { parseConfig } from '@pipeline/runtime';
import { describe, expect, it } from 'vitest';
import { configSchema } from './config.ts';
import { nextAttempt, type Lane } from './schedule.ts';

const FOLDER = new URL('../../../docs/webhooks/', import.meta.url);
const page = (name: string): string => readFileSync(new URL(name, FOLDER), 'utf8');
const CONFIG = parseConfig(configSchema, {
  NATS_URL: 'nats://127.0.0.1:4222',
  NATS_USER: 'webhook-dispatcher',
  NATS_PASSWORD: 'b5c2f0a1',
  MONGO_URL: 'mongodb://127.0.0.1:27017',
  MONGO_USER: 'webhook-dispatcher',
  MONGO_PASSWORD: 'b5c2f0a1',
  SETTINGS_KEYS: `k1:${Buffer.from('docs-are-read-with-this-key-0123').toString('base64')}`,
});
const DAY_MS = 86_400_000;
const MONDAY = Date.parse('2025-12-08T10:00:00Z');

describe('the guide for consumers', () => {
  it('has the clock times of the schedule that is in force, in both lanes', () => {
    const lines = page('handle-failures.md').split('\n');
    // Only the rows of the schedule have four cells, the first a number or nothing.
    const rows = lines
      .map((line) => line.split('|'))
      .filter((cells) => cells.length === 6 && /^\s*\d*\s*$/.test(cells[1] ?? ''));
    const column = (place: number): string[] =>
      rows.map((row) => row[place]?.trim() ?? '').filter((text) => text !== '');
    expect(column(3)).toEqual([...clockTimes('normal'), 'given up']);
    expect(column(4)).toEqual([...clockTimes('slow'), 'given up']);
    expect(column(2)).toEqual(CONFIG.WEBHOOK_SCHEDULE_SECONDS.map(inWords));
  });

  it('has the deadlines and limits that are in force', () => {
    const fast = page('answer-fast.md');
    expect(fast).toContain(`**${CONFIG.WEBHOOK_TIMEOUT_MS / 1_000} seconds**`);
    expect(fast).toContain(`connection (${CONFIG.WEBHOOK_CONNECT_TIMEOUT_MS / 1_000} s)`);
    expect(fast).toContain(`At most ${CONFIG.WEBHOOK_ENDPOINT_SLOTS} webhooks are in flight`);
    expect(fast).toContain(`${CONFIG.WEBHOOK_ENDPOINT_RATE} a second`);
  });

  it('says when an endpoint is no longer sent to, and when again, by the numbers that are in force', () => {
    expect(page('handle-failures.md')).toContain(
      `after a 502, 503 or 504 for at most ${inWords(STOPPING.outageMaxMs / 1_000)};`,
    );
    const [, stops = ''] = page('handle-failures.md').split('## When we stop');
    const { breakerFailures, pauseAfterFailures, warnings } = STOPPING;
    expect(stops).toContain(`After ${breakerFailures} attempts in a row without a usable answer`);
    expect(stops).toContain(
      `first after ${inWords(STOPPING.breakerMinMs / 1_000)}, then after at most ${inWords(STOPPING.breakerMaxMs / 1_000)}`,
    );
    expect(stops).toContain(
      `**only failures for ${STOPPING.pauseAfterMs / DAY_MS} days and at least ${pauseAfterFailures} of them**`,
    );
    expect(stops).toContain(`at ${warnings.slice(0, -1).join(', ')} and ${warnings.at(-1)} % of the way`);
    expect(stops).toContain(`resumes it ${STOPPING.cooldownMs / 60_000} minutes later`);
    expect(stops).toContain(`at most ${DRAIN_PER_SECOND} a second`);
  });

  it('says for how long something may come by the schedules that are possible', () => {
    const dedupe = page('dedupe.md').replace(/\s+/g, ' ');
    const hours = CONFIG.WEBHOOK_SCHEDULE_SECONDS.reduce((sum, seconds) => sum + seconds, 0) / 3_600;
    expect(dedupe).toContain(`ends after ${Math.floor(hours)} to ${Math.ceil(hours * 1.1)} hours`);
    const [, waits, days] = /up to (\d+) waits of up to (\d+) days each/.exec(dedupe) ?? [];
    const isSchedule = (count: number, seconds: number): boolean =>
      businessSettingsSchema.shape.webhook_schedule_seconds.safeParse(Array.from({ length: count }, () => seconds))
        .success;
    expect(isSchedule(Number(waits), Number(days) * 86_400)).toBe(true);
    expect(isSchedule(Number(waits) + 1, 1)).toBe(false);
    expect(isSchedule(1, Number(days) * 86_400 + 1)).toBe(false);
  });

  it('explains every code of an attempt with the words of the code, and no other', () => {
    const [, table = ''] = page('errors.md').split('## Codes of attempts');
    const rows = [...table.matchAll(/^\| `([a-z0-9_]+)` \| (.+) \| (.+) \|$/gm)].map(([, code, meaning, shown]) => [
      code,
      { meaning, shown },
    ]);
    expect(Object.fromEntries(rows)).toEqual(WEBHOOK_ATTEMPTS);
  });

  it('links to nothing that is not there', () => {
    for (const name of readdirSync(FOLDER).filter((file) => file.endsWith('.md'))) {
      for (const [, target = ''] of page(name).matchAll(/\]\((?!https?:|#)([^)#]+)[^)]*\)/g)) {
        expect(() => readFileOrFolder(new URL(target, FOLDER)), `${name}: ${target}`).not.toThrow();
      }
    }
  });

  it('says how many signature vectors there are', () => {
    const file = new URL('../../packages/contracts/webhooks/signatures.json', FOLDER);
    const { vectors } = JSON.parse(readFileSync(file, 'utf8')) as { vectors: unknown[] }; // its form is held by packages/egress
    expect(page('verify.md')).toContain(`[${vectors.length} signature vectors]`);
  });
});

function clockTimes(lane: Lane): string[] {
  let at = MONDAY;
  const times = [inClock(at)];
  for (let attempt = 1; ; attempt += 1) {
    const failed = { attempt, lane, retryAfterMs: null, scheduleSeconds: CONFIG.WEBHOOK_SCHEDULE_SECONDS, random: 0 };
    const next = nextAttempt(failed);
    if (next.kind === 'exhausted') return times;
    at += next.delayMs;
    times.push(inClock(at));
  }
}

function inClock(ms: number): string {
  const day = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'][new Date(ms).getUTCDay()] ?? '';
  return `${day} ${new Date(ms).toISOString().slice(11, 19)}`;
}

function inWords(seconds: number): string {
  if (seconds < 60) return `${seconds} s`;
  return seconds < 3_600 ? `${seconds / 60} min` : `${seconds / 3_600} h`;
}

function readFileOrFolder(url: URL): unknown {
  try {
    return readFileSync(url);
  } catch {
    return readdirSync(url);
  }
}
