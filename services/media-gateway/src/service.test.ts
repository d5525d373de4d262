import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { END_REASONS } from './call/end-reasons.ts';
import { configSchema } from './config.ts';

const root = join(import.meta.dirname, '..');
const readme = readFileSync(join(root, 'README.md'), 'utf8');

/** The first cells of a table under a heading, without their backticks. */
function firstCells(heading: string): string[] {
  const section = readme.split(/^## /m).find((part) => part.startsWith(heading)) ?? '';
  return [...section.matchAll(/^\| `([^`]+)` \|/gm)].map((match) => match[1] ?? '');
}

describe('the README', () => {
  it('lists every reason for which a call ends', () => {
    expect(firstCells('Why a call ended')).toEqual(Object.keys(END_REASONS));
  });

  it('lists the variables of this service', () => {
    const own = Object.keys(configSchema.shape).filter((name) =>
      /^(HTTP|PUBLIC|TWILIO|AGENT|MAX_|MEDIA|TRANSCRIPTION|DRAIN|SHUTDOWN)/.test(name),
    );
    expect(firstCells('Environment').toSorted()).toEqual(own.filter((name) => name !== 'MAX_ACK_PENDING').toSorted());
  });
});

/** The modules that a file of this service imports at run time. */
function importsOf(path: string): string[] {
  const source = readFileSync(path, 'utf8');
  return [...source.matchAll(/^import (?!type )[^;]*?from '([^']+)';/gms)].map((match) => match[1] ?? '');
}

describe('the import graph', () => {
  const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('.ts') && !file.endsWith('.test.ts') && !file.startsWith('testing'),
  );
  const packages = new Set(
    files.flatMap((file) => importsOf(join(root, 'src', file))).filter((name) => !name.startsWith('.')),
  );

  it('holds what a call needs and nothing of later stages', () => {
    expect([...packages].toSorted()).toEqual([
      '@fastify/websocket',
      '@pipeline/call-store/settings',
      '@pipeline/contracts',
      '@pipeline/messaging',
      '@pipeline/runtime',
      'fastify',
      'node:crypto',
      'node:perf_hooks',
      'twilio',
      'ws',
      'zod',
    ]);
  });

  it('keeps a call pure: it reaches no socket, no clock and no package but contracts', () => {
    const pure = files.filter((file) => file.startsWith('call/') || file === 'live-transcript.ts');
    const reached = new Set(pure.flatMap((file) => importsOf(join(root, 'src', file))));
    expect(
      [...reached].filter((name) => !/^\.\.?\/((call|reduce|end|play)[a-z-]*|live-transcript)\.ts$/.test(name)),
    ).toEqual(['@pipeline/contracts']);
  });
});
