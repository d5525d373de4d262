import { fileURLToPath } from 'node:url';
import { PROGRAMS } from '../stack/environment.ts';
import type { CodeEvidence } from './evidence.ts';
import { readImportGraph } from './import-graph.ts';

/** Where the entry of each program is; tests pass other ones. */
export type Entries = Readonly<Record<string, string>> & { readonly 'media-gateway': string };

/** The entries of the services and of the operator's command line, below a root folder. */
export function entriesBelow(root: URL): Entries {
  const path = (file: string): string => fileURLToPath(new URL(file, root));
  const services = PROGRAMS.map((name) => [name, path(`services/${name}/src/main.ts`)]);
  return {
    ...Object.fromEntries(services),
    'media-gateway': path('services/media-gateway/src/main.ts'),
    callctl: path('packages/callctl/src/main.ts'),
  };
}

/** Reads the import graphs of all programs. */
export async function readCode(entries: Entries): Promise<CodeEvidence> {
  const graphs = await Promise.all(
    Object.entries(entries).map(async ([name, entry]) => [name, await readImportGraph(entry)] as const),
  );
  return { gateway: await readImportGraph(entries['media-gateway']), programs: Object.fromEntries(graphs) };
}
