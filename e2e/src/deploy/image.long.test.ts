import { execFile } from 'node:child_process';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { buildImageFolder } from './image-layout.ts';

const BUILD_MS = 20 * 60_000;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'image-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it.each([
  ['media-gateway', [], 'PUBLIC_BASE_URL: is missing'],
  ['transcriber', [], 'TWILIO_API_KEY_SECRET: is missing'],
  ['summarizer', [], 'SUMMARY_API_KEY: is missing'],
  ['extractor', [], 'EXTRACTION_API_KEY: is missing'],
  ['webhook-dispatcher', [], 'MONGO_URL: is missing'],
  ['reconciler', [], 'TWILIO_API_KEY_SECRET: is missing'],
  ['callctl', ['provision'], 'MONGO_URL: is missing'],
])(
  'the image of %s starts from the layout of the workspace, with nothing for development in it',
  async (service, args, says) => {
    const image = await buildImageFolder(service, join(folder, service));
    const { code, output } = await start(join(image, 'run/src/main.ts'), args);
    expect(output).toContain(says);
    expect(code).not.toBe(0);
    await expect(stat(join(image, 'packages/sandbox'))).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(stat(join(image, 'node_modules/.pnpm/node_modules/vitest'))).rejects.toMatchObject({ code: 'ENOENT' });
  },
  BUILD_MS,
);

/** Without any environment, so that the process ends by naming what it misses. */
function start(entry: string, args: readonly string[]): Promise<{ code: unknown; output: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [entry, ...args], { env: {}, timeout: 60_000 }, (error, stdout, stderr) => {
      resolve({ code: error?.code ?? 0, output: stdout + stderr });
    });
  });
}
