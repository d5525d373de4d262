import { parseArgs, type ParseArgsConfig } from 'node:util';

/** A whole number in a range; the words say which option it is and what it takes. */
export type NumberOption = {
  readonly min: number;
  readonly max: number;
  readonly default: number;
  readonly isShare?: boolean;
};

/** Why an option cannot be used, in one sentence. */
export class OptionError extends Error {
  override readonly name = 'OptionError';
}

/** Reads `--json`, `--help`, the numbers and the texts of a bench. Throws {@link OptionError} for everything else. */
export function readOptions<const N extends Readonly<Record<string, NumberOption>>, const T extends readonly string[]>(
  args: readonly string[],
  numbers: N,
  texts: T,
): { readonly json: boolean; readonly help: boolean; readonly numbers: { readonly [K in keyof N]: number } } & {
  readonly texts: { readonly [K in T[number]]?: string };
} {
  const options: NonNullable<ParseArgsConfig['options']> = {
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
    ...Object.fromEntries([...Object.keys(numbers), ...texts].map((name) => [name, { type: 'string' } as const])),
  };
  const values = parse([...args], options);
  const read = Object.entries(numbers).map(([name, rule]) => [name, numberOf(name, values[name], rule)]);
  return {
    json: values['json'] === true,
    help: values['help'] === true,
    numbers: Object.fromEntries(read) as { readonly [K in keyof N]: number }, // fromEntries loses the keys
    texts: Object.fromEntries(
      texts.flatMap((name) => (typeof values[name] === 'string' ? [[name, values[name]]] : [])),
    ) as {
      readonly [K in T[number]]?: string; // as above
    },
  };
}

function parse(args: string[], options: NonNullable<ParseArgsConfig['options']>): Readonly<Record<string, unknown>> {
  try {
    return parseArgs({ args, options }).values;
  } catch (error) {
    throw new OptionError(error instanceof Error ? error.message : String(error));
  }
}

function numberOf(name: string, text: unknown, rule: NumberOption): number {
  if (text === undefined) return rule.default;
  const value = typeof text === 'string' && text.trim() !== '' ? Number(text) : Number.NaN;
  const isUsable = rule.isShare === true ? Number.isFinite(value) : Number.isInteger(value);
  if (isUsable && value >= rule.min && value <= rule.max) return value;
  throw new OptionError(
    `--${name} takes a ${rule.isShare === true ? '' : 'whole '}number from ${rule.min} to ${rule.max}`,
  );
}
