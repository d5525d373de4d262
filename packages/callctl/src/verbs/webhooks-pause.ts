import { pause } from '@pipeline/call-store/deliveries';
import type { Verb } from '../verb.ts';
import { changeEndpoint } from '../webhooks/change-endpoint.ts';

/** Stops sending to a business and keeps what is for it. */
export const webhooksPause: Verb = {
  name: 'webhooks pause',
  summary: 'send nothing to a business until it is resumed; everything is kept, what is being sent is finished',
  arguments: ['<businessId>'],
  options: {},
  run: async (context) => {
    const { id, answer, endpoint } = await changeEndpoint(context, pause());
    const text = answer === 'already' ? 'was paused already' : 'is paused, and nothing is lost';
    return {
      json: { businessId: id, answer, state: endpoint?.state ?? null },
      text: `the endpoint of ${id} ${text}; go on with: callctl webhooks resume ${id}`,
    };
  },
};
