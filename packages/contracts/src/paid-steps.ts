import type { ZodType } from 'zod';

/**
 * The steps of one message that providers were paid for and that are not handed on yet. A message that comes again finds what was
 * paid at an earlier delivery and pays for the rest alone. Outcomes are JSON.
 */
export type PaidSteps = {
  /**
   * The outcome of this step, if it was paid before and still has its form; else asks `pay` and keeps what it resolves with, in the place
   * of the steps within it. A rejection is not kept.
   */
  once<T>(step: string, schema: ZodType<T>, pay: () => Promise<T>): Promise<T>;
  /** The steps that lead to the outcome of this one. */
  within(step: string): PaidSteps;
};

/** Steps that keep their outcomes in `outcomes`, by the names of the steps. Without it nothing was paid before. */
export function createPaidSteps(outcomes: Map<string, unknown> = new Map()): PaidSteps {
  const under = (prefix: string): PaidSteps => ({
    once: async (step, schema, pay) => {
      const name = prefix + step;
      const before = schema.safeParse(outcomes.get(name));
      if (outcomes.has(name) && before.success) return before.data;
      const outcome = await pay();
      for (const inner of outcomes.keys()) {
        if (inner.startsWith(`${name}/`)) outcomes.delete(inner);
      }
      outcomes.set(name, outcome);
      return outcome;
    },
    within: (step) => under(`${prefix}${step}/`),
  });
  return under('');
}
