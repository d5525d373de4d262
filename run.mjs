#!/usr/bin/env node
// The way in for every command of package.json. It runs on whatever Node the machine has (20 or newer) and needs nothing
// installed: it installs the workspace when it is missing or out of date, then hands over to the project's own Node.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(fileURLToPath(import.meta.url));
const entries = {
  demo: 'e2e/src/demo/main.ts',
  start: 'e2e/src/start/main.ts',
  test: 'e2e/src/suite/main.ts',
  'test-long': 'e2e/src/suite/main.ts',
  laws: 'e2e/src/laws/main.ts',
  servers: 'packages/sandbox/src/servers/main.ts',
  callctl: 'packages/callctl/src/main.ts',
  bench: 'bench/src/main.ts',
  eval: 'e2e/src/eval/main.ts',
};

const [verb = '', ...rest] = process.argv.slice(2);
const entry = entries[verb];
if (entry === undefined) {
  console.error(`usage: node run.mjs <${Object.keys(entries).join('|')}> [options]`);
  process.exit(2);
}
await install();
const fixed = verb === 'test-long' ? ['--long'] : [];
const node = join(root, 'node_modules/node/bin/node');
process.exit(
  await run(node, ['--disable-warning=ExperimentalWarning', join(root, entry), ...fixed, ...rest], {
    stdio: 'inherit',
  }),
);

/** Installs the workspace unless the stamp of the last installation equals the lockfile. */
async function install() {
  const stampFile = join(root, 'node_modules/.installed');
  const lock = ['pnpm-lock.yaml', 'pnpm-workspace.yaml', 'package.json'].map((file) => readFileSync(join(root, file)));
  const stamp = createHash('sha256').update(Buffer.concat(lock)).digest('hex');
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return;
  const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  console.error(`installing the workspace with ${packageManager} (once, about 10 to 60 s) ...`);
  const npx = process.platform === 'win32' ? 'npx.cmd' : 'npx';
  const code = await run(npx, ['-y', packageManager, 'install', '--frozen-lockfile', '--reporter=append-only'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  if (code !== 0) {
    console.error(
      'the workspace could not be installed. Check that npm reaches its registry, then run the command again.',
    );
    process.exit(1);
  }
  writeFileSync(stampFile, stamp);
}

/** Runs a program to its end; its output is shown when it fails. Ctrl-C reaches the child too, which ends in its own order. */
function run(program, args, { stdio }) {
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd: root, stdio });
    const output = [];
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => output.push(chunk));
    const forward = (signal) => child.kill(signal);
    process.on('SIGINT', () => undefined);
    process.on('SIGTERM', forward);
    child.on('error', (error) => {
      console.error(`${program}: ${error.message}`);
      resolve(1);
    });
    child.on('exit', (code, signal) => {
      process.off('SIGTERM', forward);
      if (code !== 0) process.stderr.write(Buffer.concat(output));
      resolve(code ?? (signal === 'SIGINT' ? 130 : 1));
    });
  });
}
