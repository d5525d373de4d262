import { COMMAND_CONSUMER, STAGES, type StageName } from '@pipeline/contracts';
import type { Operator } from '@pipeline/messaging';

/**
 * Tells whether a stage has still to settle an event of a call, or extractor a command about it: the last one lies beyond what is
 * settled. How far that is, is asked once, so that what is settled meanwhile counts as in work: the next run sees it.
 */
export function createWorkLook(
  operator: Pick<Operator, 'lastMark' | 'settledUpTo'>,
): (businessId: string, callSid: string) => Promise<boolean> {
  const consumers = [
    ...(Object.keys(STAGES) as StageName[]).map((name) => ({ name, consumes: STAGES[name].consumes })), // Object.keys loses the literal type
    { name: COMMAND_CONSUMER, consumes: 'call.erase' },
  ] as const;
  const floors = new Map<string, Promise<number>>();
  const floorOf = (name: (typeof consumers)[number]['name']): Promise<number> => {
    const floor = floors.get(name) ?? operator.settledUpTo(name);
    floors.set(name, floor);
    return floor;
  };
  return async (businessId, callSid) => {
    const beyond = consumers.map(async ({ name, consumes }) => {
      const floor = await floorOf(name);
      const last = await operator.lastMark(consumes, businessId, callSid);
      return last !== null && last.seq > floor;
    });
    return (await Promise.all(beyond)).includes(true);
  };
}
