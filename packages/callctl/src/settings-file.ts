import { businessSettingsSchema, type FullSettings } from '@pipeline/contracts';
import { parseDocument } from 'yaml';

/** One thing that is wrong, at its JSON path: `$.fields[2].options`. Never holds a value. */
export type Problem = { readonly path: string; readonly message: string };

export type Parsed =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly problems: readonly Problem[] };

export type Checked =
  | { readonly ok: true; readonly settings: FullSettings; readonly warnings: readonly Problem[] }
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

/** Checks settings against the contract. */
export function checkSettings(value: unknown): Checked {
  const parsed = businessSettingsSchema.safeParse(value);
  if (!parsed.success) {
    return { ok: false, problems: parsed.error.issues.map(({ path, message }) => ({ path: jsonPath(path), message })) };
  }
  const url = checkUrl(parsed.data.inbound_webhook_url);
  if (url.problem !== null) return { ok: false, problems: [{ path: '$.inbound_webhook_url', message: url.problem }] };
  const warnings = url.warning === null ? [] : [{ path: '$.inbound_webhook_url', message: url.warning }];
  return { ok: true, settings: parsed.data, warnings };
}

/** A problem as one line for a person. */
export function problemLine({ path, message }: Problem): string {
  return `${path}: ${message}`;
}

/** Whether a URL can be a webhook's at all; where it may lead is judged by the dispatcher, at every attempt. */
function checkUrl(url: string | null): { readonly problem: string | null; readonly warning: string | null } {
  if (url === null) return { problem: null, warning: null };
  const { protocol, username, password } = URL.canParse(url)
    ? new URL(url)
    : { protocol: '', username: '', password: '' };
  if (protocol !== 'https:' && protocol !== 'http:') return { problem: 'must be an https URL', warning: null };
  if (username !== '' || password !== '')
    return { problem: 'must not hold a user or password; use webhook_headers', warning: null };
  return {
    problem: null,
    warning: protocol === 'http:' ? 'is not https: sent only where the operator allows it' : null,
  };
}

function jsonPath(path: readonly PropertyKey[]): string {
  const steps = path.map((step) => {
    if (typeof step === 'number') return `[${step}]`;
    const name = String(step);
    return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`;
  });
  return `$${steps.join('')}`;
}
