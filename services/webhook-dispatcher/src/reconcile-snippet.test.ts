import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

const SCRIPT = fileURLToPath(new URL('../../../docs/webhooks/snippets/reconcile.sh', import.meta.url));
const HOUR_MS = 3_600_000;

/** Answers as `callctl webhooks list --json` does: how many fit, and as many of them as were asked for, oldest first. */
const CALLCTL = `#!${process.execPath}
const { readFileSync } = require('node:fs');
const { parseArgs } = require('node:util');
const names = ['business', 'status', 'since', 'until', 'limit'];
const options = { json: { type: 'boolean' }, ...Object.fromEntries(names.map((name) => [name, { type: 'string' }])) };
const { values, positionals } = parseArgs({ options, allowPositionals: true });
if (positionals.join(' ') !== 'webhooks list' || values.status !== 'all' || !values.json) process.exit(2);
const fits = JSON.parse(readFileSync(process.env.SENT, 'utf8')).filter(
  ({ at, business }) => business === values.business && at >= Date.parse(values.since) && at < Date.parse(values.until),
);
console.log(JSON.stringify({ total: fits.length, deliveries: fits.slice(0, Number(values.limit)) }));
`;

type Sent = { readonly webhookId: string; readonly business: string; readonly at: number };

const missing = ['bash', 'jq'].find((program) => spawnSync(program, ['--version']).status !== 0);
const without = missing === undefined ? '' : ` (skipped: no ${missing} on this machine)`;
const folder = mkdtempSync(join(tmpdir(), 'reconcile-'));

vi.setConfig({ testTimeout: 120_000 });

beforeAll(() => writeFileSync(join(folder, 'callctl'), CALLCTL, { mode: 0o755 }));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.skipIf(missing !== undefined)(`the script that reconciles${without}`, () => {
  it('prints the ids of the time asked for that the receiver does not have, and no other', () => {
    const ran = reconcile(
      [
        sent('msg_too_old', 3.5),
        sent('msg_lost_2', 2.5),
        sent('msg_kept', 1.5),
        sent('msg_lost_1', 0.5),
        { ...sent('msg_of_another', 0.5), business: 'biz_2' },
      ],
      ['msg_kept', 'msg_of_long_ago'],
    );
    expect(ran).toEqual({ status: 0, stdout: 'msg_lost_1\nmsg_lost_2\n', stderr: '' });
  });

  it('ends with an error, and not with a part of the ids, when an hour has more than a list holds', () => {
    const ids = Array.from({ length: 1_001 }, (_, number) => sent(`msg_${number}`, 1.5));
    const ran = reconcile([sent('msg_lost', 2.5), ...ids], []);
    expect(ran).toMatchObject({ status: 1, stdout: '' });
    expect(ran.stderr).toMatch(/^more than 1000 webhooks between \S+Z and \S+Z: ask for a shorter time\n$/);
    expect(reconcile(ids.slice(1), []).stdout.trimEnd().split('\n')).toHaveLength(1_000);
  });
});

function sent(webhookId: string, hoursAgo: number): Sent {
  return { webhookId, business: 'biz_1', at: Date.now() - hoursAgo * HOUR_MS };
}

function reconcile(all: readonly Sent[], have: readonly string[]) {
  writeFileSync(join(folder, 'sent.json'), JSON.stringify(all));
  writeFileSync(join(folder, 'have'), have.map((id) => `${id}\n`).join(''));
  const run = 'PATH="$0:$PATH" SENT="$1" exec bash "${@:2}"';
  const args = [folder, join(folder, 'sent.json'), SCRIPT, 'biz_1', join(folder, 'have'), '3'];
  const { status, stdout, stderr } = spawnSync('bash', ['-c', run, ...args], { encoding: 'utf8', timeout: 100_000 });
  return { status, stdout, stderr };
}
