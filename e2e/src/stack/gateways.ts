import type { ServiceProcess } from './service-process.ts';

/** The media-gateways behind one public address. */
export type Gateways = {
  add(process: ServiceProcess, port: number): void;
  /**
   * The real address for one request of a call: its webhook, its media stream, its status callback. The living gateways in turn, so
   * that with several of them hardly a call stays with one. Throws when there is none.
   */
  urlFor(request: GatewayRequest): string;
  /** Sends requests where a test wants them, by index in the order of starting; undefined leaves the choice. */
  direct(choose: (request: GatewayRequest) => number | undefined): void;
};

export type GatewayRequest = { readonly callSid: string; readonly path: string };

/** A load balancer that keeps nothing together: no gateway may rely on that. */
export function createGateways(): Gateways {
  const members: { readonly process: ServiceProcess; readonly url: string }[] = [];
  let turn = 0;
  let chosenFor: (request: GatewayRequest) => number | undefined = () => undefined;
  return {
    add: (process, port) => void members.push({ process, url: `http://127.0.0.1:${port}` }),
    urlFor: (request) => {
      const chosen = members[chosenFor(request) ?? -1];
      if (chosen !== undefined) return chosen.url;
      const living = members.filter((member) => member.process.isAlive());
      const member = living[turn % Math.max(1, living.length)];
      if (member === undefined) throw new Error('no media-gateway is running');
      turn += 1;
      return member.url;
    },
    direct: (choose) => {
      chosenFor = choose;
    },
  };
}
