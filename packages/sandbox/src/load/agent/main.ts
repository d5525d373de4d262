import type { MeasuredWindow } from '../arrivals.ts';
import { answerQuestions } from '../worker.ts';
import { startLoadAgent, type LoadAgent } from './agent.ts';

/** The process of the stand-in agent. */
let agent: LoadAgent | null = null;

function running(): LoadAgent {
  if (agent === null) throw new Error('the agent was not started');
  return agent;
}

const commands = {
  start: async ({ pieceMs }: { readonly pieceMs: number }) => {
    agent = await startLoadAgent(pieceMs);
    return { port: agent.port };
  },
  begin: () => running().begin(),
  measure: (window: MeasuredWindow) => running().measure(window),
  hush: () => running().hush(),
  tally: () => running().tally(),
  report: () => running().report(),
};
export type AgentCommands = typeof commands;

answerQuestions(commands);
