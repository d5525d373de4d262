import pc from 'picocolors';

/** Where the demo writes: lines that stay, and one line of progress below them on a terminal. */
export type Screen = {
  readonly colors: ReturnType<typeof pc.createColors>;
  line(text?: string): void;
  /** The line of progress; elsewhere than on a terminal it is printed when it changes, at most every few seconds. */
  progress(text: string): void;
  /** Takes the line of progress away. */
  settle(): void;
};

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const FRAME_MS = 120;
const QUIET_MS = 5_000;

/** Colours and a moving line of progress on a terminal; plain lines everywhere else (and with NO_COLOR). */
export function createScreen(
  output: NodeJS.WriteStream,
  environment: Readonly<Record<string, string | undefined>>,
): Screen {
  const terminal = output.isTTY && environment['TERM'] !== 'dumb';
  const colors = pc.createColors(terminal && environment['NO_COLOR'] === undefined);
  return terminal ? terminalScreen(output, colors) : plainScreen(output, colors);
}

function terminalScreen(output: NodeJS.WriteStream, colors: Screen['colors']): Screen {
  let text = '';
  let frame = 0;
  let timer: NodeJS.Timeout | undefined;
  const clear = (): void => void output.write('\r\u001b[2K');
  const draw = (): void => {
    frame = (frame + 1) % FRAMES.length;
    const width = Math.max(10, output.columns - 2);
    output.write(`\r\u001b[2K${colors.cyan(FRAMES[frame] ?? '')} ${colors.dim(text.slice(0, width))}`);
  };
  return {
    colors,
    line: (line = '') => {
      if (timer !== undefined) clear();
      output.write(`${line}\n`);
      if (timer !== undefined) draw();
    },
    progress: (next) => {
      text = next;
      timer ??= setInterval(draw, FRAME_MS);
    },
    settle: () => {
      if (timer === undefined) return;
      clearInterval(timer);
      timer = undefined;
      clear();
    },
  };
}

function plainScreen(output: NodeJS.WriteStream, colors: Screen['colors']): Screen {
  let last = '';
  let at = performance.now();
  return {
    colors,
    line: (line = '') => {
      at = performance.now();
      output.write(`${line}\n`);
    },
    progress: (text) => {
      if (text === last || performance.now() - at < QUIET_MS) return;
      last = text;
      at = performance.now();
      output.write(`... ${text}\n`);
    },
    settle: () => undefined,
  };
}
