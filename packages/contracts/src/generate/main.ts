import { mkdir, writeFile } from 'node:fs/promises';
import { consumerDocuments, generatedDocuments } from './documents.ts';

const folders = { schemas: generatedDocuments(), webhooks: consumerDocuments() };
for (const [name, documents] of Object.entries(folders)) {
  const folder = new URL(`../../${name}/`, import.meta.url);
  await mkdir(folder, { recursive: true });
  for (const [file, document] of Object.entries(documents)) {
    await writeFile(new URL(file, folder), `${JSON.stringify(document, null, 2)}\n`);
  }
}
