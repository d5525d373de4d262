import { resume } from '@pipeline/call-store/deliveries';
import type { Verb } from '../verb.ts';
import { changeEndpoint } from '../webhooks/change-endpoint.ts';
import { heldBy } from '../webhooks/delivery-text.ts';

/** Sends to a business again. */
export const webhooksResume: Verb = {
  name: 'webhooks resume',
  summary: 'send to a business again; what waited goes out at a bounded rate',
  arguments: ['<businessId>'],
  options: {
    force: {
      summary:
        'also an endpoint that stopped by itself or by the wish of the receiver, without a test; and end what holds back an active one',
    },
  },
  run: async (context) => {
    const { id, answer, endpoint } = await changeEndpoint(
      context,
      resume({ force: context.options['force'] === true }),
    );
    const json = { businessId: id, answer, state: endpoint?.state ?? null, reason: endpoint?.reason ?? null };
    switch (answer) {
      case 'resumed':
        return { json, text: `the endpoint of ${id} is active again` };
      case 'released':
        return { json, text: `the endpoint of ${id} was active and held back; now it is sent to at its full rate` };
      case 'already': {
        const held = heldBy(endpoint);
        return { json, text: `the endpoint of ${id} was active already${held === null ? '' : `, but ${held}`}` };
      }
      case 'needs_test':
        return {
          ok: false,
          json,
          text: `the endpoint of ${id} is ${endpoint?.state ?? 'stopped'} (${endpoint?.reason ?? 'unknown'}), not by an operator. See that it answers: callctl webhooks test ${id}. A 2xx resumes it after 5 minutes; --force does at once.`,
        };
    }
  },
};
