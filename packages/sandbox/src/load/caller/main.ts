import type { MeasuredWindow } from '../arrivals.ts';
import { answerQuestions } from '../worker.ts';
import { createLoadCallers, type CallerPlan, type LoadCallers } from './callers.ts';

/** A process of callers: one round after the other. */
let callers: LoadCallers | null = null;

function present(): LoadCallers {
  if (callers === null) throw new Error('no round has begun');
  return callers;
}

const commands = {
  begin: async (plan: CallerPlan) => {
    await callers?.close();
    callers = createLoadCallers(plan);
  },
  place: () => present().place(),
  measure: (window: MeasuredWindow) => present().measure(window),
  disturb: (overMs: number) => present().disturb(overMs),
  hush: () => present().hush(),
  tally: () => present().tally(),
  hangUp: () => present().hangUp(),
  report: () => present().report(),
};
export type CallerCommands = typeof commands;

answerQuestions(commands);
