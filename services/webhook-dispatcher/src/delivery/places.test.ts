import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Places, QUICK_MS, type Request } from './places.ts';

const SLOTS = 32;
const HANG_MS = 15_000;

describe('the places of one process', () => {
  it('are an eighth for an endpoint that has answered nothing yet, and all of them once it answers within a second', () => {
    const places = new Places(SLOTS);
    expect(places.keep('new', 100, 0)).toBe(4);
    places.end(places.begin('new', 0), QUICK_MS);
    expect(places.keep('new', 100, 0)).toBe(SLOTS - 3);
    expect(places.free(0)).toBe(0);
  });

  it('are an eighth again for an endpoint that took longer, even if it answered', () => {
    const places = new Places(SLOTS);
    makeQuick(places, 'biz_1');
    places.keep('biz_1', 1, 0);
    places.end(places.begin('biz_1', 0), QUICK_MS + 1);
    expect(places.keep('biz_1', 100, 0)).toBe(4);
  });

  it('stay as they are when nothing was sent', () => {
    const places = new Places(SLOTS);
    makeQuick(places, 'biz_1');
    places.keep('biz_1', 1, 0);
    places.end(places.begin('biz_1', 0), null);
    expect(places.keep('biz_1', 100, 0)).toBe(SLOTS);
  });

  it('are left by what is out for more than a second, twice as many as there are slots at most', () => {
    const places = new Places(2);
    makeQuick(places, 'biz_1');
    for (let begun = 0; begun < 3; begun += 1) {
      const at = begun * 10_000;
      makeQuick(places, `biz_${begun}`);
      expect(hang(places, `biz_${begun}`, 2, at)).toHaveLength(2);
      expect(places.free(at + QUICK_MS)).toBe(0);
      expect(places.free(at + QUICK_MS + 1)).toBe(begun < 2 ? 2 : 0);
    }
  });

  it('that are given back are free again', () => {
    const places = new Places(SLOTS);
    for (let round = 0; round < 100; round += 1) {
      expect(places.keep('biz_1', 4, 0)).toBe(4);
      places.giveBack('biz_1', 4);
    }
    expect(places.free(0)).toBe(SLOTS);
  });
});

it('P2: however many endpoints hang that answered nothing yet, and whenever they begin, who answers finds half of the slots free', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(40), fc.nat(12), fc.nat(900)), { maxLength: 300 }), (wishes) => {
      const places = new Places(SLOTS);
      makeQuick(places, 'healthy');
      const out: Request[] = [];
      let now = 0;
      for (const [endpoint, wanted, pause] of wishes) {
        now += pause;
        for (const request of out.splice(0, out.filter((one) => now - one.begunAt >= HANG_MS).length)) {
          places.end(request, HANG_MS);
        }
        out.push(...hang(places, `hung_${endpoint}`, wanted, now));
        expect(places.keep('healthy', SLOTS, now)).toBeGreaterThanOrEqual(SLOTS / 2);
        places.giveBack('healthy', SLOTS);
        expect(out.length).toBeLessThanOrEqual(SLOTS / 2 + 2 * SLOTS);
      }
    }),
    { numRuns: 300 },
  );
});

it('P3: eight endpoints that answered until they all hang at once hold the slots of the others for a second at most', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 8 }), (endpoints, each) => {
      const places = new Places(SLOTS);
      makeQuick(places, 'healthy');
      const ids = Array.from({ length: endpoints }, (_, n) => `was_quick_${n}`);
      for (const id of ids) makeQuick(places, id);
      for (let now = 0; now < HANG_MS; now += 500) {
        // Each wants its whole cap again and again; what it got hangs.
        for (const id of ids) if (now % 1_500 === 0) hang(places, id, each, now);
        const since = now + QUICK_MS + 1;
        expect(places.keep('healthy', SLOTS, since)).toBeGreaterThanOrEqual(SLOTS / 2);
        places.giveBack('healthy', SLOTS);
      }
    }),
    { numRuns: 100 },
  );
});

it('P1: whatever comes and goes, no more requests hold a slot than there are, and no place is lost', () => {
  const step = fc.tuple(fc.constantFrom('keep', 'begin', 'end', 'giveBack'), fc.nat(5), fc.nat(9), fc.nat(2_000));
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 40 }), fc.array(step, { maxLength: 200 }), (slots, steps) => {
      const places = new Places(slots);
      const kept = new Map<string, number>();
      const out: Request[] = [];
      let now = 0;
      for (const [kind, endpoint, count, ms] of steps) {
        now += ms;
        const id = `biz_${endpoint}`;
        const has = kept.get(id) ?? 0;
        if (kind === 'keep') kept.set(id, has + places.keep(id, count, now));
        if (kind === 'giveBack') {
          places.giveBack(id, Math.min(has, count));
          kept.set(id, has - Math.min(has, count));
        }
        if (kind === 'begin' && has > 0) {
          out.push(places.begin(id, now));
          kept.set(id, has - 1);
        }
        const over = kind === 'end' ? out.splice(count, 1) : [];
        for (const request of over) places.end(request, now - request.begunAt);
        const waiting = [...kept.values()].reduce((sum, one) => sum + one, 0);
        const young = out.filter((request) => now - request.begunAt <= QUICK_MS).length;
        expect(young + waiting).toBeLessThanOrEqual(slots);
        expect(out.length + waiting).toBeLessThanOrEqual(3 * slots);
      }
      for (const request of out) places.end(request, null);
      for (const [id, has] of kept) places.giveBack(id, has);
      expect(places.free(now)).toBe(slots);
    }),
    { numRuns: 500 },
  );
});

function makeQuick(places: Places, endpointId: string): void {
  places.keep(endpointId, 1, 0);
  places.end(places.begin(endpointId, 0), 1);
}

/** As many requests as there are places for, none of which is answered. */
function hang(places: Places, endpointId: string, wanted: number, now: number): Request[] {
  return Array.from({ length: places.keep(endpointId, wanted, now) }, () => places.begin(endpointId, now));
}
