import { STAGES } from '@pipeline/contracts';
import type { ServiceLine } from '../stack/service-process.ts';
import type { Screen } from './screen.ts';

/** The lines of the services that people look for; everything else is for machines. */
const SPOKEN = /^\[(CALL|RECONCILE|OFFLINE_STT|OFFLINE_SUMMARY|OFFLINE_EXTRACT|WEBHOOK)\]/;
const NAME_WIDTH = 19;

/** Tells what happens to calls, stage by stage, while it happens. */
export type Narrator = {
  onLine(line: ServiceLine): void;
  /** Sets the line of progress: how many calls are where. */
  showProgress(expected: number): void;
};

/** Prints the lines people look for and whatever went wrong; with many calls only what went wrong. */
export function createNarrator(screen: Screen, verbose: boolean): Narrator {
  const settled = new Map<string, Set<unknown>>();
  const { colors } = screen;
  const print = (line: ServiceLine): void => {
    const name = line.service.padEnd(NAME_WIDTH);
    const paint = line.level === 'error' ? colors.red : line.level === 'warn' ? colors.yellow : colors.reset;
    screen.line(`${colors.dim(name)} ${paint(line.message)}`);
  };
  return {
    onLine: (line) => {
      count(settled, line);
      const wrong = line.level === 'warn' || line.level === 'error';
      if (wrong || (verbose && SPOKEN.test(line.message))) print(line);
      const { outcome, ms, callSid } = line.fields;
      // What runs on a schedule has no call, and would tell every few seconds that it found nothing.
      const isOfCall = typeof outcome === 'string' && typeof ms === 'number' && typeof callSid === 'string';
      if (!verbose || wrong || !isOfCall) return;
      screen.line(colors.dim(`${line.service.padEnd(NAME_WIDTH)} ${line.message}, ${Math.round(ms)} ms`));
    },
    showProgress: (expected) => screen.progress(progressText(settled, expected)),
  };
}

function count(settled: Map<string, Set<unknown>>, { service, message, fields }: ServiceLine): void {
  const done = fields['outcome'] === 'done' || fields['outcome'] === 'handed_on';
  const ended = message.startsWith('[CALL]');
  const sent = message.startsWith('[WEBHOOK] ✅');
  if (!done && !ended && !sent) return;
  const key = sent ? 'delivered' : service;
  const calls = settled.get(key) ?? new Set();
  settled.set(key, calls.add(fields['callSid']));
}

function progressText(settled: ReadonlyMap<string, ReadonlySet<unknown>>, expected: number): string {
  const passed = (name: string): number => settled.get(name)?.size ?? 0;
  const stages = Object.keys(STAGES);
  const steps = ['media-gateway', ...stages.filter((stage) => stage !== 'webhook-dispatcher'), 'delivered'];
  let before = expected;
  const parts: string[] = [];
  for (const step of steps) {
    const working = before - passed(step);
    if (working > 0) parts.push(`${labelOf(step)} ${working}`);
    before = passed(step);
  }
  return `${passed('delivered')}/${expected} delivered${parts.length === 0 ? '' : ` · now: ${parts.join(', ')}`}`;
}

function labelOf(step: string): string {
  switch (step) {
    case 'media-gateway':
      return 'on the phone';
    case 'delivered':
      return 'webhook-dispatcher';
    default:
      return step;
  }
}
