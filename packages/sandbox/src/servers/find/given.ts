import type { FindOptions, GivenServer } from './program.ts';

const ADDRESSES = {
  PIPELINE_NATS: { scheme: /^(nats|tls):$/, example: 'nats://127.0.0.1:4222' },
  PIPELINE_MONGO: { scheme: /^mongodb(\+srv)?:$/, example: 'mongodb://127.0.0.1:27017/' },
} as const;

/**
 * The server which the environment names by `<prefix>_URL`, with `_USER` and `_PASSWORD`; null when it names none.
 * Throws one sentence, without the value, when the URL cannot be used.
 */
export function givenServer(prefix: keyof typeof ADDRESSES, { environment, report }: FindOptions): GivenServer | null {
  const url = environment[`${prefix}_URL`]?.trim();
  if (!url) return null;
  const { scheme, example } = ADDRESSES[prefix];
  if (!URL.canParse(url) || !scheme.test(new URL(url).protocol)) {
    throw new Error(`${prefix}_URL is not the address of one server, like ${example}`);
  }
  const { username, password } = new URL(url);
  if (username !== '' || password !== '') {
    throw new Error(`${prefix}_URL must not hold a user or password: set ${prefix}_USER and ${prefix}_PASSWORD`);
  }
  const name = environment[`${prefix}_USER`]?.trim();
  const user = name ? { user: name, password: environment[`${prefix}_PASSWORD`] ?? '' } : null;
  const found = `given by ${prefix}_URL`;
  report(`${url}: ${found}`);
  return { kind: 'given', url, user, found };
}
