import type { Endpoint, EndpointNotice } from '@pipeline/call-store/deliveries';
import type { Logger } from '@pipeline/runtime';

/** Tells operators what became of an endpoint: one line, and a count by kind. */
export function createNoticeReport(logger: Logger, count: (kind: EndpointNotice['kind']) => void) {
  return (endpoint: Endpoint, notice: EndpointNotice): void => {
    count(notice.kind);
    const fields = { endpointId: endpoint.id, kind: notice.kind, reason: endpoint.reason, state: endpoint.state };
    switch (notice.kind) {
      case 'failing': {
        const words = `[WEBHOOK] the endpoint has only failed for ${notice.percent} % of the time after which it is paused`;
        return logger.warn({ ...fields, count: endpoint.failures?.count }, words);
      }
      case 'paused':
        return logger.error(fields, '[WEBHOOK] the endpoint is paused: its webhooks are kept and wait');
      case 'disabled':
        return logger.error(fields, '[WEBHOOK] the endpoint wants no more webhooks: they are kept and wait');
      case 'breaker_opened':
        return logger.warn(fields, '[WEBHOOK] the endpoint does not answer: one delivery at a time tries it');
      case 'recovered':
        return logger.info(fields, '[WEBHOOK] the endpoint answers again');
      case 'resumed':
        return logger.info(fields, '[WEBHOOK] the endpoint is resumed: what waited goes out at a bounded rate');
    }
  };
}
