import type { ServiceProcess } from './service-process.ts';

/** The media-gateways behind one public address. A call's requests and its media stream all reach the same one. */
export type Gateways = {
  add(process: ServiceProcess, port: number): void;
  /** The real address for a call: the living gateways in turn. Throws when there is none. */
  urlFor(callSid: string): string;
};

const CALLS_REMEMBERED = 10_000;

/** A load balancer as sticky as media-gateway needs it while the state of a call lives in one process. */
export function createGateways(): Gateways {
  const members: { readonly process: ServiceProcess; readonly url: string }[] = [];
  const chosen = new Map<string, { readonly process: ServiceProcess; readonly url: string }>();
  let turn = 0;
  return {
    add: (process, port) => void members.push({ process, url: `http://127.0.0.1:${port}` }),
    urlFor: (callSid) => {
      const before = chosen.get(callSid);
      if (before?.process.isAlive() === true) return before.url;
      const living = members.filter((member) => member.process.isAlive());
      const member = living[turn % Math.max(1, living.length)];
      if (member === undefined) throw new Error('no media-gateway is running');
      turn += 1;
      if (chosen.size >= CALLS_REMEMBERED) chosen.clear();
      chosen.set(callSid, member);
      return member.url;
    },
  };
}
