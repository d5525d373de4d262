import { z } from 'zod';
import { hasExampleKey } from './variables/settings-keys.ts';

/** Every problem of the environment at once, by variable name and never by value. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('; '));
    this.problems = problems;
  }
}

const PLACEHOLDER = /^(change[-_ ]?me|placeholder|example|secret|password|todo|xxx+|your[-_ ].*|<.*>)$/i;

/** Secrets travel in HTTP headers, and a header with another character throws where a call is already waiting. */
const PRINTABLE_ASCII = /^[\x20-\x7e]*$/;

/** A secret from the environment: printable ASCII, never empty, never a placeholder, no default. */
export function secretVariable(): z.ZodString {
  return z
    .string()
    .min(1, 'must not be empty')
    .refine((value) => value.trim() === value && value !== '', 'must not be blank or end in white space')
    .refine((value) => PRINTABLE_ASCII.test(value.trim()), 'must be printable ASCII')
    .refine((value) => !PLACEHOLDER.test(value), 'is a placeholder, set the real value');
}

/** A whole number from the environment between two bounds, with its default. Names of such variables carry the unit. */
export function integerVariable(bounds: { readonly min: number; readonly max: number; readonly default: number }) {
  return z
    .string()
    .regex(/^\d{1,15}$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.number().min(bounds.min, `must be at least ${bounds.min}`).max(bounds.max, `must be at most ${bounds.max}`))
    .default(bounds.default);
}

/** A comma separated list of whole numbers between two bounds, with its default. */
export function listVariable(bounds: {
  readonly min: number;
  readonly max: number;
  readonly default: readonly number[];
}) {
  return z
    .string()
    .regex(/^\d{1,15}(,\d{1,15}){0,63}$/, 'must be whole numbers, comma separated')
    .transform((text) => text.split(',').map(Number))
    .pipe(z.array(z.number().min(bounds.min).max(bounds.max)))
    .default([...bounds.default]);
}

/** An http(s) URL without user, query, fragment or trailing slash. */
export function urlVariable() {
  return z.string().refine(isPlainUrl, 'must be an http(s) URL without user, query, fragment or trailing slash');
}

function isPlainUrl(value: string): boolean {
  if (!URL.canParse(value)) return false;
  const url = new URL(value);
  const plain = url.username === '' && url.password === '' && url.search === '' && url.hash === '';
  return plain && /^https?:$/.test(url.protocol) && !value.endsWith('/');
}

/** What every service reads: its mode, its log level, where health and metrics answer, and the switch of the fault tests. */
export const serviceVariables = {
  /** `production` refuses test switches. Default `production`: a forgotten variable must not loosen anything. */
  NODE_ENV: z.enum(['production', 'development', 'test']).default('production'),
  /** Log level. Default `info`. */
  LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
  /** Address on which health and metrics answer. Default all. */
  HEALTH_HOST: z.string().min(1).default('0.0.0.0'),
  /** Port of health and metrics; 0 takes a free one and logs it. Default 9464. */
  HEALTH_PORT: integerVariable({ min: 0, max: 65_535, default: 9_464 }),
  /** Name of this process among its replicas. Default the host name. */
  POD_NAME: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,253}$/)
    .optional(),
  /** Milliseconds from SIGTERM to a forced exit. Default 110 s, below the pod's grace of 120 s. */
  SHUTDOWN_GRACE_MS: integerVariable({ min: 1_000, max: 4 * 3_600_000, default: 110_000 }),
  /** `<service>.<point>:<n>`: kill this process at the n-th passing of a crash point. Refused in production. */
  CRASH_AT: z
    .string()
    .regex(/^[a-z]{2}\.[a-z0-9_]+:[1-9]\d{0,5}$/)
    .optional(),
} as const;

const serviceSchema = z.object(serviceVariables);
/** The part of every service's configuration that the runtime needs. */
export type ServiceConfig = z.infer<typeof serviceSchema>;

/**
 * Parses the environment. Blank variables count as missing. Throws a ConfigError that names every problem.
 * `CRASH_AT`, an example key, or a broker over the network without TLS, together with `NODE_ENV=production`, is one.
 */
export function parseConfig<S extends z.ZodType>(
  schema: S,
  environment: Readonly<Record<string, string | undefined>>,
): z.output<S> {
  const present = Object.entries(environment).filter(([, value]) => value !== undefined && value.trim() !== '');
  const given = Object.fromEntries(present);
  const parsed = schema.safeParse(given);
  const problems = parsed.success ? [] : parsed.error.issues.map((issue) => describe(issue, given));
  const production = (given['NODE_ENV'] ?? 'production') === 'production';
  if (production && given['CRASH_AT'] !== undefined) problems.push('CRASH_AT: is refused when NODE_ENV is production');
  if (production && hasExampleKey(given['SETTINGS_KEYS'] ?? '')) {
    problems.push('SETTINGS_KEYS: holds an example key, which is refused when NODE_ENV is production');
  }
  const isRead = isService(schema) && !problems.some((problem) => problem.startsWith('NATS_URL:'));
  if (production && isRead && isPlainBroker(given['NATS_URL'] ?? '')) {
    problems.push('NATS_URL: must be tls:// when NODE_ENV is production, unless the server is on this machine');
  }
  if (!parsed.success || problems.length > 0) throw new ConfigError([...new Set(problems)].toSorted());
  return parsed.data;
}

/** Services know in which mode they run; an operator's command does not. */
function isService(schema: z.ZodType): boolean {
  return schema instanceof z.ZodObject && 'NODE_ENV' in schema.shape;
}

/** Credentials and callers' words would travel in the clear. A server on this machine is reached over no network. */
function isPlainBroker(urls: string): boolean {
  const plain = urls.split(',').filter((url) => url.startsWith('nats://'));
  return plain.some((url) => !/^nats:\/\/(127\.\d+\.\d+\.\d+|localhost|\[::1\])(:\d+)?$/.test(url));
}

/** {@link parseConfig} for a `main.ts`: prints the problems, one a line, and exits with 1. */
export function loadConfig<S extends z.ZodType>(
  schema: S,
  environment: Readonly<Record<string, string | undefined>>,
): z.output<S> {
  try {
    return parseConfig(schema, environment);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`configuration is not usable:\n${error.problems.map((line) => `  ${line}`).join('\n')}\n`);
    process.exit(1);
  }
}

function describe(issue: z.core.$ZodIssue, given: Readonly<Record<string, unknown>>): string {
  const name = issue.path.map(String).join('.') || 'environment';
  if (!Object.hasOwn(given, name) && name !== 'environment') return `${name}: is missing`;
  switch (issue.code) {
    case 'invalid_value':
      return `${name}: must be one of ${issue.values.map(String).join(', ')}`;
    case 'invalid_format':
      return `${name}: ${issue.message.startsWith('Invalid string') ? 'does not have the expected form' : issue.message}`;
    default:
      return `${name}: ${issue.message}`;
  }
}
