import { literalOf, type RefusalCode, type Resolve, type UrlPolicy } from '@pipeline/egress';
import { WEBHOOK_ATTEMPTS } from '@pipeline/contracts/webhook';

/** Why the text of a webhook URL is refused, beginning with the code; null when it is not. */
export function refusalOf(url: string | null, policy: UrlPolicy): string | null {
  const verdict = url === null ? null : policy.judgeUrl(url);
  return verdict === null || verdict.ok ? null : refusal(verdict.code);
}

/** What the addresses behind a webhook URL say. */
export type AddressCheck =
  | { readonly kind: 'fine' }
  /** One of them is not allowed, and one condemns all. */
  | { readonly kind: 'refused'; readonly message: string }
  /** They are not known from here. Every attempt judges them again, so this is worth a warning and no refusal. */
  | { readonly kind: 'unknown'; readonly message: string };

/** Resolves the name of a URL that is fine by its text, and judges every answer. */
export async function checkAddresses(
  url: string | null,
  policy: UrlPolicy,
  resolve: Resolve,
  signal: AbortSignal,
): Promise<AddressCheck> {
  const verdict = url === null ? null : policy.judgeUrl(url);
  if (verdict === null || !verdict.ok || literalOf(verdict.url.hostname) !== null) return { kind: 'fine' };
  const resolution = await resolve(verdict.url.hostname, signal);
  if (resolution.kind === 'failed') {
    const message = `${resolution.code}: its name has no address from here. Every attempt looks again.`;
    return { kind: 'unknown', message };
  }
  return policy.mayConnect(resolution.addresses, verdict.trust)
    ? { kind: 'fine' }
    : { kind: 'refused', message: refusal('ip_blocked') };
}

function refusal(code: RefusalCode): string {
  const allowed = 'Origins of your own network go into WEBHOOK_ALLOWED_ORIGINS, here and at webhook-dispatcher.';
  const isInternal = ['ip_blocked', 'host_not_allowed', 'scheme_not_allowed', 'port_not_allowed'].includes(code);
  return `${code}: ${WEBHOOK_ATTEMPTS[code].meaning}${isInternal ? ` ${allowed}` : ''}`;
}
