import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { fieldsToExtract } from '@pipeline/contracts';
import { GOLDEN_SET, loadBusinesses, loadDialogues, loadKeywordRules, type KeywordRules } from '@pipeline/sandbox';
import type { Case } from './stages.ts';

/** Dialogues to evaluate and, for the sandbox's model, the keyword rules of their folder. */
export type CaseSet = { readonly cases: readonly Case[]; readonly rules: KeywordRules | undefined };

/** A set that cannot be evaluated. The message names every file and place. */
export class SetError extends Error {
  override readonly name = 'SetError';
}

/** The sandbox's own dialogues and the golden set. */
export async function loadOwnCases(): Promise<CaseSet> {
  const sets = [await loadDialogues(), await loadDialogues(GOLDEN_SET)];
  const businesses = [...(await loadBusinesses()), ...(await loadBusinesses(new URL('businesses/', GOLDEN_SET)))];
  return { cases: pair(sets.flat(), businesses, fileURLToPath(GOLDEN_SET)), rules: undefined };
}

/** The dialogues of a folder (`*.json`), with businesses of its own (`businesses/*.json`) and rules (`keywords.json`) where it has some. */
export async function loadCases(folder: string): Promise<CaseSet> {
  const url = pathToFileURL(join(folder, '/'));
  try {
    const dialogues = await loadDialogues(url);
    const own = (await exists(join(folder, 'businesses'))) ? await loadBusinesses(new URL('businesses/', url)) : [];
    const rules = (await exists(join(folder, 'keywords.json'))) ? await loadKeywordRules(url) : undefined;
    const known = [...own, ...(await loadBusinesses()), ...(await loadBusinesses(new URL('businesses/', GOLDEN_SET)))];
    const cases = pair(dialogues, known, folder);
    if (cases.length === 0) throw new SetError(`${folder} holds no dialogue (*.json)`);
    return { cases, rules };
  } catch (error) {
    throw error instanceof SetError
      ? error
      : new SetError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

function pair(dialogues: readonly Case['dialogue'][], businesses: readonly Case['business'][], folder: string): Case[] {
  const problems: string[] = [];
  const cases = dialogues.flatMap((dialogue) => {
    const place = (path: string): string => `${join(folder, `${dialogue.id}.json`)}: ${path}`;
    const business = businesses.find(({ id }) => id === dialogue.businessId);
    if (business === undefined) {
      problems.push(`${place('businessId')}: there are no settings of ${dialogue.businessId} (businesses/*.json)`);
      return [];
    }
    const keys = new Set(fieldsToExtract(business.fields).map(({ key }) => key));
    const unknown = Object.keys(dialogue.expect.fields).filter((key) => !keys.has(key));
    problems.push(
      ...unknown.map((key) => `${place(`expect.fields.${key}`)}: ${business.id} does not ask for this field`),
    );
    return [{ dialogue, business }];
  });
  const ids = dialogues.map(({ id }) => id);
  problems.push(
    ...ids
      .filter((id, at) => ids.indexOf(id) < at)
      .map((id) => `${join(folder, `${id}.json`)}: id: two dialogues have it`),
  );
  if (problems.length > 0) throw new SetError(problems.join('\n'));
  return cases;
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
