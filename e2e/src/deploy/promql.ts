import { parser } from '@prometheus-io/lezer-promql';

/** One metric that an expression reads, and what its labels must be: `cronjob=~"a|b"` is `['cronjob', '=~', 'a|b']`. */
export type Selector = {
  readonly metric: string;
  readonly matchers: readonly (readonly [label: string, operator: string, value: string])[];
};

/** An expression of Prometheus as its own grammar reads it. `isValid` is false when there is an error in it. */
export type Expression = {
  readonly isValid: boolean;
  readonly selectors: readonly Selector[];
  readonly numbers: readonly number[];
};

/** Reads an expression. Types are not looked at: only Prometheus knows them. */
export function readExpression(expr: string): Expression {
  const selectors: { metric: string; matchers: [string, string, string][] }[] = [];
  const numbers: number[] = [];
  let isValid = true;
  const tree = parser.parse(expr);
  tree.iterate({
    enter: ({ type, from, to, node }) => {
      const text = expr.slice(from, to);
      if (type.isError) isValid = false;
      if (type.name === 'NumberLiteral' || type.name === 'NumberDurationLiteral') numbers.push(Number(text));
      if (type.name === 'VectorSelector')
        selectors.push({ metric: textOf(expr, node.getChild('Identifier')), matchers: [] });
      if (type.name === 'UnquotedLabelMatcher') {
        const [label, operator, value] = ['LabelName', 'MatchOp', 'StringLiteral'].map((name) =>
          textOf(expr, node.getChild(name)),
        );
        selectors.at(-1)?.matchers.push([label ?? '', operator ?? '', (value ?? '').slice(1, -1)]);
      }
    },
  });
  return { isValid, selectors, numbers };
}

function textOf(expr: string, node: { readonly from: number; readonly to: number } | null): string {
  return node === null ? '' : expr.slice(node.from, node.to);
}
