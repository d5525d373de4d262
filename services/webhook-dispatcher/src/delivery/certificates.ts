/** A certificate that ends sooner is told: who renews by hand needs some days. */
const SOON_MS = 14 * 86_400_000;
/** Endpoints that are remembered, those of the latest attempts. */
const MAX_ENDPOINTS = 4_096;

/** Which endpoints have a certificate that ends soon, as far as this process has sent to them. */
export function createCertificateWatch(now: () => number) {
  const endings = new Map<string, number>();
  return {
    /** Until when the certificate of an endpoint is valid; undefined when an attempt told nothing of it. */
    note: (endpointId: string, endsAt: Date | undefined): void => {
      if (endsAt === undefined) return;
      endings.delete(endpointId);
      endings.set(endpointId, endsAt.getTime());
      const [oldest] = endings.keys();
      if (endings.size > MAX_ENDPOINTS && oldest !== undefined) endings.delete(oldest);
    },
    countEnding: (): number => [...endings.values()].filter((endsAt) => endsAt - now() < SOON_MS).length,
  };
}
