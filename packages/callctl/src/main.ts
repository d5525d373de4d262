#!/usr/bin/env node
import { runProgram } from './program.ts';
import { readInput } from './read-input.ts';

const interrupted = new AbortController();
process.once('SIGINT', () => interrupted.abort(new Error('interrupted')));
// A reader that stops early, such as `head`, is no failure.
process.stdout.on('error', () => process.exit(0));

const code = await runProgram(process.argv.slice(2), {
  environment: process.env,
  signal: interrupted.signal,
  isTerminal: process.stdout.isTTY,
  readInput: (path) => readInput(path, process.stdin),
  out: (line) => void process.stdout.write(`${line}\n`),
  error: (line) => void process.stderr.write(`${line}\n`),
});
process.stdout.write('', () => process.exit(code));
