import { execFile } from 'node:child_process';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Manifest } from './manifests.ts';

const TSC_DEADLINE_MS = 120_000;

/**
 * What the compiler says against manifests when they are written as literals of Kubernetes' own types: wrong types and unknown
 * fields (`readynessProbe`), which the models' own validation does not see. Empty when all is well.
 */
export async function typeProblems(manifests: readonly Manifest[]): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'manifests-'));
  try {
    await symlink(fileURLToPath(new URL('../../node_modules', import.meta.url)), join(folder, 'node_modules'));
    await writeFile(join(folder, 'package.json'), '{"type":"module"}');
    await writeFile(
      join(folder, 'tsconfig.json'),
      JSON.stringify({ compilerOptions: OPTIONS, files: ['manifests.ts'] }),
    );
    await writeFile(join(folder, 'manifests.ts'), sourceOf(manifests));
    return await compile(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const OPTIONS = {
  module: 'nodenext',
  target: 'es2024',
  strict: true,
  noEmit: true,
  skipLibCheck: true,
  types: [],
};

/** One line a manifest, so that a complaint's line says which. The type of a kind is `I<kind>` in the module of its API version. */
function sourceOf(manifests: readonly Manifest[]): string {
  const kinds = new Map(manifests.map(({ apiVersion, kind }) => [`${kind}@${apiVersion}`, { apiVersion, kind }]));
  const imports = [...kinds.values()].map(
    ({ apiVersion, kind }) => `import type { I${kind} } from 'kubernetes-models/${apiVersion}';`,
  );
  const values = manifests.map(
    (manifest, index) => `export const m${index}: I${manifest.kind} = ${JSON.stringify(manifest)};`,
  );
  return `${[...imports, ...values].join('\n')}\n`;
}

function compile(folder: string): Promise<string[]> {
  const require = createRequire(import.meta.url);
  const tsc = join(dirname(require.resolve('typescript/package.json')), 'bin', 'tsc');
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      [tsc, '-p', folder, '--pretty', 'false'],
      { timeout: TSC_DEADLINE_MS },
      (error, stdout, stderr) => {
        const problems = stdout.split('\n').filter((line) => line.includes('error TS'));
        if (error !== null && problems.length === 0) reject(new Error(`the compiler failed: ${stderr || stdout}`));
        else resolve(problems);
      },
    );
  });
}
