import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import { agentStamp, callerStamp } from '../audio-sizes.ts';
import { createArrivals, type MeasuredWindow } from '../arrivals.ts';
import { createLoopDelay } from '../loop-delay.ts';
import { createPacer } from '../pacer.ts';
import { tallyOf, type AgentReport, type Tally } from '../report.ts';
import { LoadSession, type SessionParts } from './session.ts';

const MAX_MESSAGE_BYTES = 1_048_576;

/** The agent's side of a load: any number of sessions that speak and listen without end. */
export type LoadAgent = {
  readonly port: number;
  /** Forgets what was counted: a new round begins. */
  begin(): void;
  measure(window: MeasuredWindow): void;
  /** Nobody speaks any more. */
  hush(): void;
  tally(): Tally;
  report(): AgentReport;
};

/** Starts a {@link LoadAgent} on a free port of 127.0.0.1; it takes every path and every key. */
export async function startLoadAgent(pieceMs: number): Promise<LoadAgent> {
  const server = new WebSocketServer({
    host: '127.0.0.1',
    port: 0,
    perMessageDeflate: false,
    maxPayload: MAX_MESSAGE_BYTES,
  });
  await once(server, 'listening');
  const pacer = createPacer();
  const loopDelay = createLoopDelay();
  const stamp = agentStamp(pieceMs);
  let isSpeaking = true;
  let round = newRound();

  function newRound() {
    return { arrivals: createArrivals(callerStamp), said: new Map<number, number>() };
  }

  server.on('connection', (socket) => {
    const parts: SessionParts = { ...round, pacer, stamp, pieceMs, isSpeaking: () => isSpeaking };
    void new LoadSession(socket, parts);
  });
  return {
    port: (server.address() as AddressInfo).port, // listening on TCP
    begin: () => {
      round = newRound();
      isSpeaking = true;
    },
    measure: (window) => {
      round.arrivals.measure(window);
      loopDelay.begin();
    },
    hush: () => {
      isSpeaking = false;
      loopDelay.end();
    },
    tally: () => tallyOf([...round.said.values()], round.arrivals.calls),
    report: () => ({
      heard: round.arrivals.calls,
      said: [...round.said].map(([call, sent]) => ({ call, sent })),
      latencies: round.arrivals.readLatencies(),
      loopDelayP99Ms: loopDelay.p99Ms,
    }),
  };
}
