import { execFile } from 'node:child_process';
import { cp, mkdir, readFile, rm } from 'node:fs/promises';
import { join, matchesGlob, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { serverEnvironment } from '@pipeline/sandbox/servers';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const INSTALL_DEADLINE_MS = 15 * 60_000;

/**
 * Does in a folder what the first stage of the Dockerfile does, without a container engine: copies what `.dockerignore` lets
 * through, then runs the Dockerfile's own commands. Answers with the folder that becomes `/app`.
 */
export async function buildImageFolder(service: string, folder: string): Promise<string> {
  const workspace = join(folder, 'workspace');
  const image = join(folder, 'image');
  await rm(folder, { recursive: true, force: true });
  await copyContext(workspace);
  const [installPnpm, ...commands] = await runCommands();
  if (installPnpm?.includes('npm install --global') !== true)
    throw new Error('the Dockerfile does not begin with pnpm');
  await mkdir(join(folder, 'tmp'));
  const { packageManager } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as {
    packageManager: string;
  }; // a file of ours
  const script = [
    'set -e',
    `pnpm() { npx -y ${packageManager} "$@"; }`,
    ...commands.map((command) => command.replaceAll(/(?<!\w)\/(?:image|tmp)\b/g, (path) => `${folder}${path}`)),
  ].join('\n');
  const env = { ...serverEnvironment(), SERVICE: service, CI: '1' };
  await promisify(execFile)('bash', ['-c', script], {
    cwd: workspace,
    env,
    timeout: INSTALL_DEADLINE_MS,
    maxBuffer: 16_777_216,
  });
  return image;
}

async function runCommands(): Promise<string[]> {
  const dockerfile = await readFile(join(ROOT, 'deploy/docker/Dockerfile'), 'utf8');
  const joined = dockerfile.replaceAll(/\\\n\s*/g, ' ');
  return [...joined.matchAll(/^RUN (.+)$/gm)].map(([, command = '']) => command);
}

async function copyContext(target: string): Promise<void> {
  const rules = (await readFile(join(ROOT, '.dockerignore'), 'utf8'))
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  await cp(ROOT, target, {
    recursive: true,
    verbatimSymlinks: true,
    filter: (source) => {
      const path = relative(ROOT, source);
      return path === '' || !isIgnored(path, rules);
    },
  });
}

/** The last rule that fits a path or a folder above it decides, as in Docker. */
function isIgnored(path: string, rules: readonly string[]): boolean {
  const parts = path.split('/');
  const above = parts.map((_, index) => parts.slice(0, index + 1).join('/'));
  const deciding = rules.findLast((rule) => above.some((part) => matchesGlob(part, rule.replace(/^!/, ''))));
  return deciding !== undefined && !deciding.startsWith('!');
}
