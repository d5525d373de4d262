import { readdir, readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { EVENT_SCHEMAS } from '../events.ts';
import { WEBHOOK_KEYS, webhookBodySchema, webhookErasedSchema, webhookTestSchema } from '../webhook.ts';
import { consumerDocuments, generatedDocuments } from './documents.ts';

const folder = new URL('../../schemas/', import.meta.url);
const webhooks = new URL('../../webhooks/', import.meta.url);

describe('generated documents', () => {
  test('the committed schemas equal the code (run `pnpm generate` after a change)', async () => {
    const documents = generatedDocuments();
    expect((await readdir(folder)).toSorted()).toEqual(Object.keys(documents).toSorted());
    for (const [file, document] of Object.entries(documents)) {
      expect(JSON.parse(await readFile(new URL(file, folder), 'utf8')), file).toEqual(
        JSON.parse(JSON.stringify(document)),
      );
    }
  });

  test('every reference of the AsyncAPI document leads to a document or a channel', () => {
    const documents = generatedDocuments();
    const asyncapi = documents['asyncapi.json'] as { channels: Record<string, unknown> };
    const references = [...JSON.stringify(asyncapi).matchAll(/"\$ref":"([^"]+)"/g)].map((match) => match[1] ?? '');
    expect(references.length).toBeGreaterThan(Object.keys(EVENT_SCHEMAS).length);
    for (const reference of references) {
      const known = reference.startsWith('#/channels/')
        ? Object.hasOwn(asyncapi.channels, reference.slice('#/channels/'.length))
        : Object.hasOwn(documents, reference.slice('./'.length));
      expect(known, reference).toBe(true);
    }
  });

  test('the webhook schema requires the eleven first keys, in their order', () => {
    const schema = generatedDocuments()['webhook.schema.json'] as { required: string[] };
    expect(schema.required.slice(0, WEBHOOK_KEYS.length)).toEqual([...WEBHOOK_KEYS]);
  });

  test('the schemas that receivers copy name the codes that there are, and do not refuse the next one', () => {
    const text = JSON.stringify(consumerDocuments()['body.schema.json']);
    expect(text).toContain('"examples":["RECORDING_NOT_FOUND"');
    expect(text).not.toContain('"enum":["RECORDING_NOT_FOUND"');
  });

  test('what consumers are given is generated from the code and refers to nothing outside of its file', async () => {
    for (const [file, document] of Object.entries(consumerDocuments())) {
      const committed: unknown = JSON.parse(await readFile(new URL(file, webhooks), 'utf8'));
      expect(committed, file).toEqual(JSON.parse(JSON.stringify(document)));
      const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map((match) => match[1]);
      expect(references.filter((reference) => reference?.startsWith('#') !== true)).toEqual([]);
    }
  });

  test('every sample payload is one body of a webhook, and each kind of body has a sample', async () => {
    const kinds = { call: webhookBodySchema, erased: webhookErasedSchema, test: webhookTestSchema };
    const seen = new Set<string>();
    for (const file of await readdir(new URL('payloads/', webhooks))) {
      const body: unknown = JSON.parse(await readFile(new URL(`payloads/${file}`, webhooks), 'utf8'));
      const fitting = Object.entries(kinds).filter(([, schema]) => schema.safeParse(body).success);
      expect(fitting, file).toHaveLength(1);
      for (const [kind] of fitting) seen.add(kind);
    }
    expect([...seen].toSorted()).toEqual(Object.keys(kinds).toSorted());
  });
});
