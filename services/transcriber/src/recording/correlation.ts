/** Pearson's correlation of two channels, fed window by window. A channel that never moves correlates with nothing. */
export function createCorrelation() {
  const sum = { count: 0, left: 0, right: 0, leftLeft: 0, rightRight: 0, leftRight: 0 };
  return {
    add: (left: Int16Array, right: Int16Array): void => {
      sum.count += left.length;
      for (let index = 0; index < left.length; index += 1) {
        const a = left[index] ?? 0;
        const b = right[index] ?? 0;
        sum.left += a;
        sum.right += b;
        sum.leftLeft += a * a;
        sum.rightRight += b * b;
        sum.leftRight += a * b;
      }
    },
    value: (): number => {
      if (sum.count === 0) return 0;
      const left = sum.leftLeft - sum.left ** 2 / sum.count;
      const right = sum.rightRight - sum.right ** 2 / sum.count;
      const both = sum.leftRight - (sum.left * sum.right) / sum.count;
      return left <= 0 || right <= 0 ? 0 : both / Math.sqrt(left * right);
    },
  };
}
