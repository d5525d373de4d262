import { explainMismatch, TOLERANCE_SECONDS, type ArrivedWebhook, type VerifyVerdict } from '@pipeline/egress';
import { foreignText } from '../terminal-text.ts';

/** What each problem means and what to look at, for a person. The codes are those of the error page for consumers. */
function problemText(verdict: Extract<VerifyVerdict, { ok: false }>): string {
  const age = verdict.ageSeconds ?? 0;
  switch (verdict.code) {
    case 'header_missing':
      return 'webhook-id, webhook-timestamp or webhook-signature is missing: is it a webhook, and does a proxy drop headers?';
    case 'timestamp_invalid':
      return 'webhook-timestamp is not a number of seconds';
    case 'timestamp_too_old':
      return `it was signed ${age} s ago, and ${TOLERANCE_SECONDS} s are accepted: a saved request (--any-age), a repeated one, or a clock that is ahead`;
    case 'timestamp_in_future':
      return `it was signed ${-age} s from now, and ${TOLERANCE_SECONDS} s are accepted: this clock is behind`;
    case 'no_v1_signature':
      return 'webhook-signature holds no signature that begins with v1,';
    case 'signature_mismatch':
      return 'no signature matches: another secret, or the body is not what was sent';
  }
}

/** A verdict for programs. */
export function verdictJson(arrived: ArrivedWebhook, verdict: VerifyVerdict, secrets: readonly string[]): object {
  const shared = { ...eventOf(arrived), bytes: arrived.body.length };
  if (verdict.ok) {
    return {
      valid: true,
      id: verdict.id,
      sentAt: verdict.sentAt.toISOString(),
      secret: verdict.secretNumber,
      ...shared,
    };
  }
  return {
    valid: false,
    code: verdict.code,
    problem: problemText(verdict),
    hint: hintOf(arrived, verdict, secrets),
    ...shared,
  };
}

/** A verdict for people: one line, and a second one with the probable cause where there is one. */
export function verdictText(
  arrived: ArrivedWebhook,
  verdict: VerifyVerdict,
  {
    secrets,
    isTerminal,
    nowMs,
  }: { readonly secrets: readonly string[]; readonly isTerminal: boolean; readonly nowMs: number },
): string {
  const { event, business, city } = eventOf(arrived);
  const safe = (text: string): string => foreignText(text.slice(0, 200).replaceAll('\n', ' '), isTerminal);
  const about = [
    event ?? 'no JSON',
    business === null ? null : `business ${business}`,
    city === null ? null : `city ${city}`,
  ];
  const facts = [...about, `${arrived.body.length} bytes`].filter((fact) => fact !== null).map(safe);
  if (verdict.ok) {
    const age = Math.round((nowMs - verdict.sentAt.getTime()) / 1_000);
    return `✔ valid    ${safe(verdict.id)}  ${facts.join(', ')}, signed ${age} s ago, secret ${verdict.secretNumber} of ${secrets.length}`;
  }
  const hint = hintOf(arrived, verdict, secrets);
  const first = `✘ refused  ${safe(arrived.headers['webhook-id'] ?? 'no webhook-id')}  ${facts.join(', ')}`;
  return [first, `  ${verdict.code}: ${problemText(verdict)}`, ...(hint === null ? [] : [`  probably ${hint}`])].join(
    '\n',
  );
}

function hintOf(arrived: ArrivedWebhook, verdict: VerifyVerdict, secrets: readonly string[]): string | null {
  return !verdict.ok && verdict.code === 'signature_mismatch' ? explainMismatch(arrived, secrets) : null;
}

/** What a body says of itself. Not to be believed before the signature is valid. */
function eventOf({ body }: ArrivedWebhook): { event: string | null; business: string | null; city: string | null } {
  const none = { event: null, business: null, city: null };
  try {
    const parsed: unknown = JSON.parse(Buffer.from(body).toString('utf8'));
    if (typeof parsed !== 'object' || parsed === null) return none;
    const text = (key: string): string | null => {
      const value: unknown = Reflect.get(parsed, key);
      return typeof value === 'string' ? value : null;
    };
    return { event: text('event_type'), business: text('business_id'), city: text('city') };
  } catch {
    return none;
  }
}
