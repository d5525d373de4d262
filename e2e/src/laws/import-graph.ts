import { readFile } from 'node:fs/promises';
import { createRequire, stripTypeScriptTypes } from 'node:module';
import { dirname, resolve } from 'node:path';
import { init, parse } from 'es-module-lexer';

/** What a module reaches at run time: workspace files by absolute path, packages from elsewhere by name. Imports of types are no edges. */
export type ImportGraph = {
  readonly files: ReadonlySet<string>;
  readonly packages: ReadonlySet<string>;
  /** How a file or package is reached: the modules from the entry to it. For messages. */
  pathTo(target: string): readonly string[];
};

/**
 * Reads the import graph from an entry file by parsing modules, as Node would load them: static and dynamic imports and
 * re-exports, through the workspace's packages. A dynamic import whose specifier is not a literal is refused: it could reach anything.
 */
export async function readImportGraph(entry: string): Promise<ImportGraph> {
  await init();
  const parents = new Map<string, string | null>([[resolve(entry), null]]);
  const packages = new Set<string>();
  const queue = [resolve(entry)];
  for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
    for (const specifier of await importsOf(file)) {
      const target = resolveImport(specifier, file);
      if (target.kind === 'package') packages.add(target.name);
      const key = target.kind === 'package' ? target.name : target.file;
      if (parents.has(key)) continue;
      parents.set(key, file);
      if (target.kind === 'file') queue.push(target.file);
    }
  }
  const files = new Set([...parents.keys()].filter((key) => !packages.has(key)));
  return { files, packages, pathTo: (target) => pathTo(target, parents) };
}

type Target = { readonly kind: 'file'; readonly file: string } | { readonly kind: 'package'; readonly name: string };

async function importsOf(file: string): Promise<string[]> {
  const source = await readFile(file, 'utf8');
  const [imports] = parse(stripTypeScriptTypes(source, { mode: 'strip' }), file);
  return imports
    .filter((one) => one.type !== 'import-meta')
    .map((one) => {
      const { specifier } = one;
      if (specifier === undefined) {
        throw new Error(`${file}: a dynamic import without a literal name cannot be followed`);
      }
      return specifier;
    });
}

function resolveImport(specifier: string, from: string): Target {
  if (specifier.startsWith('.')) return { kind: 'file', file: resolve(dirname(from), specifier) };
  if (specifier.startsWith('@pipeline/')) return { kind: 'file', file: createRequire(from).resolve(specifier) };
  const name = specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
  return { kind: 'package', name };
}

function pathTo(target: string, parents: ReadonlyMap<string, string | null>): string[] {
  const path: string[] = [];
  for (let at: string | null | undefined = target; at !== null && at !== undefined; at = parents.get(at))
    path.unshift(at);
  return path;
}
