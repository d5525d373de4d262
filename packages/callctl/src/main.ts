#!/usr/bin/env node
import { createResolver } from '@pipeline/egress';
import { runProgram } from './program.ts';
import { readBytes } from './read-input.ts';

/** Milliseconds for the name of a webhook URL. */
const RESOLVE_MS = 5_000;

const interrupted = new AbortController();
process.once('SIGINT', () => interrupted.abort(new Error('interrupted')));
// A reader that stops early, such as `head`, is no failure.
process.stdout.on('error', () => process.exit(0));

const code = await runProgram(process.argv.slice(2), {
  environment: process.env,
  signal: interrupted.signal,
  isTerminal: process.stdout.isTTY,
  readBytes: (path) => readBytes(path, process.stdin),
  resolve: createResolver({ budgetMs: RESOLVE_MS }),
  out: (line) => void process.stdout.write(`${line}\n`),
  error: (line) => void process.stderr.write(`${line}\n`),
});
process.stdout.write('', () => process.exit(code));
