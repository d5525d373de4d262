import { businessSettingsSchema, type FullSettings } from '@pipeline/contracts';
import type { UrlPolicy } from '@pipeline/egress';
import { parseDocument } from 'yaml';
import { refusalOf } from './webhook-url.ts';

/** One thing that is wrong, at its JSON path: `$.fields[2].options`. Never holds a value. */
export type Problem = { readonly path: string; readonly message: string };

export type Parsed =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly problems: readonly Problem[] };

export type Checked =
  | { readonly ok: true; readonly settings: FullSettings }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Reads the text of a settings file, JSON or YAML, without looking at what it says. */
export function parseSettingsText(text: string): Parsed {
  // The messages of the parser would quote the line, and with it a secret.
  const document = parseDocument(text, { prettyErrors: true, uniqueKeys: true, logLevel: 'silent' });
  const problems = document.errors.map((error) => {
    const [from] = error.linePos ?? [];
    const place = from === undefined ? '' : ` at line ${from.line}, column ${from.col}`;
    return { path: '$', message: `is neither JSON nor YAML${place} (${error.code})` };
  });
  if (problems.length > 0) return { ok: false, problems };
  try {
    return { ok: true, value: document.toJS({ maxAliasCount: 100 }) };
  } catch {
    return { ok: false, problems: [{ path: '$', message: 'uses too many aliases, or one that is not there' }] };
  }
}

/** Checks settings against the contract, and the webhook URL by its text. */
export function checkSettings(value: unknown, policy: UrlPolicy): Checked {
  const parsed = businessSettingsSchema.safeParse(value);
  if (!parsed.success) {
    return { ok: false, problems: parsed.error.issues.map(({ path, message }) => ({ path: jsonPath(path), message })) };
  }
  const refusal = refusalOf(parsed.data.inbound_webhook_url, policy);
  if (refusal !== null) return { ok: false, problems: [{ path: '$.inbound_webhook_url', message: refusal }] };
  return { ok: true, settings: parsed.data };
}

/** A problem as one line for a person. */
export function problemLine({ path, message }: Problem): string {
  return `${path}: ${message}`;
}

function jsonPath(path: readonly PropertyKey[]): string {
  const steps = path.map((step) => {
    if (typeof step === 'number') return `[${step}]`;
    const name = String(step);
    return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`;
  });
  return `$${steps.join('')}`;
}
