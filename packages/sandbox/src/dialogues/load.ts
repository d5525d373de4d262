import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { businessSettingsSchema, type BusinessSettings } from '@pipeline/contracts';
import { z } from 'zod';
import { dialogueSchema, keywordRulesSchema, type Dialogue, type KeywordRules } from './dialogue.ts';

/** The folders of the sandbox's own dialogues and businesses. */
const DIALOGUES = new URL('../../dialogues/', import.meta.url);
const INTERRUPTED = new URL('interrupted/', DIALOGUES);
const BUSINESSES = new URL('../../businesses/', import.meta.url);
const KEYWORDS = 'keywords.json';

/** Dialogues that measure a model: with every type of field, in Hebrew, Arabic and English. Nobody telephones with them. */
export const GOLDEN_SET = new URL('../../golden/', import.meta.url);

/** Every dialogue of the folder, by file name. Throws an Error that names each file that is not valid and each problem in it. */
export async function loadDialogues(folder: URL = DIALOGUES): Promise<Dialogue[]> {
  const names = (await jsonNames(folder)).filter((name) => name !== KEYWORDS);
  const files = await Promise.allSettled(names.map((name) => readFileAs(new URL(name, folder), dialogueSchema)));
  const problems = files.flatMap((one) =>
    one.status === 'rejected' ? [String(one.reason instanceof Error ? one.reason.message : one.reason)] : [],
  );
  if (problems.length > 0) throw new Error(problems.join('\n'));
  return files.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
}

/**
 * The sandbox's dialogues in which the caller cuts the agent short. They are apart, because nobody hears every word of them:
 * whoever compares a transcript with what was to be said leaves them out.
 */
export async function loadInterruptedDialogues(): Promise<Dialogue[]> {
  return loadDialogues(INTERRUPTED);
}

/**
 * The settings of the sandbox's businesses, without webhook URL and secrets: whoever stores them adds both. Throws an Error
 * that names the file and each problem in it.
 */
export async function loadBusinesses(folder: URL = BUSINESSES): Promise<BusinessSettings[]> {
  const names = await jsonNames(folder);
  return Promise.all(names.map((name) => readFileAs(new URL(name, folder), businessSettingsSchema)));
}

/** The keyword rules of the folder, by language. */
export async function loadKeywordRules(folder: URL = DIALOGUES): Promise<KeywordRules> {
  return readFileAs(new URL(KEYWORDS, folder), keywordRulesSchema);
}

async function jsonNames(folder: URL): Promise<string[]> {
  const names = await readdir(folder);
  return names.filter((name) => name.endsWith('.json')).toSorted();
}

async function readFileAs<S extends z.ZodType>(file: URL, schema: S): Promise<z.output<S>> {
  const text = await readFile(file, 'utf8');
  const parsed = schema.safeParse(parseJson(text, file));
  if (!parsed.success) throw new Error(`${fileURLToPath(file)} is not valid:\n${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

function parseJson(text: string, file: URL): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Error(`${fileURLToPath(file)} is not JSON`, { cause });
  }
}
