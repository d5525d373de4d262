import pc from 'picocolors';
import type { Screen } from './screen.ts';

/** A screen that shows nothing but what went wrong: for `--json`, whose output belongs to a machine. */
export function silentScreen(errors: NodeJS.WriteStream): Screen {
  return {
    colors: pc.createColors(false),
    line: (text = '') => {
      if (/NOT valid/.test(text)) errors.write(`${text}\n`);
    },
    progress: () => undefined,
    settle: () => undefined,
  };
}
