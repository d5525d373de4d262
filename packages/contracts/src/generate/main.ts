import { mkdir, writeFile } from 'node:fs/promises';
import { generatedDocuments } from './documents.ts';

const folder = new URL('../../schemas/', import.meta.url);
await mkdir(folder, { recursive: true });
for (const [file, document] of Object.entries(generatedDocuments())) {
  await writeFile(new URL(file, folder), `${JSON.stringify(document, null, 2)}\n`);
}
