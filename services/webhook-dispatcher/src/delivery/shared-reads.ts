type Line<T> = { readonly running: Promise<T>; next: Promise<T> | null };

/**
 * Reads one key at a time for everybody who wants it: who comes while a read is under way shares the next one with all others who wait.
 * Nothing is remembered: each answer is of a read that began after it was asked for.
 */
export function shareReads<T>(read: (key: string) => Promise<T>): (key: string) => Promise<T> {
  const lines = new Map<string, Line<T>>();

  const begin = (key: string): Promise<T> => {
    const running = read(key);
    const line: Line<T> = { running, next: null };
    lines.set(key, line);
    const end = (): void => {
      if (line.next === null) lines.delete(key);
    };
    running.then(end, end);
    return running;
  };
  return (key) => {
    const line = lines.get(key);
    if (line === undefined) return begin(key);
    const again = (): Promise<T> => begin(key);
    line.next ??= line.running.then(again, again);
    return line.next;
  };
}
