import { setTimeout as sleep } from 'node:timers/promises';
import type { Reader } from '@pipeline/messaging';
import { createGauge, type Logger, type Service } from '@pipeline/runtime';

/** Milliseconds between two looks: what fills up here does so in hours. */
const EVERY_MS = 10_000;

/**
 * Tells how full the two places are that no trimming empties: dead letters, and the large parts of events, which stay for weeks. A full
 * one holds up calls, and dead letters wait for a person. Extractor tells it, because a stage may look at both and runs all the time; it
 * decides nothing on it. A value that is not known is NaN. Resolves when stopped.
 */
export async function watchKeeping(
  registry: Service['registry'],
  look: Reader['keeping'],
  logger: Logger,
  stopping: AbortSignal,
): Promise<void> {
  let known = { letters: Number.NaN, lettersFill: Number.NaN, largeFill: Number.NaN };
  createGauge(registry, {
    name: 'dead_letters',
    help: 'Messages that stages set aside and nobody has replayed or removed.',
    read: () => known.letters,
  });
  createGauge(registry, {
    name: 'dead_letters_fill_ratio',
    help: 'How full the stream of dead letters is, 0 to 1. A full one holds up the stage that has to set something aside.',
    read: () => known.lettersFill,
  });
  createGauge(registry, {
    name: 'large_events_fill_ratio',
    help: 'How full the bucket of events above 512 KiB is, 0 to 1. A full one holds up large calls.',
    read: () => known.largeFill,
  });
  while (!stopping.aborted) {
    try {
      const { deadLetters, largeEvents } = await look();
      known = { letters: deadLetters.messages, lettersFill: deadLetters.fill, largeFill: largeEvents.fill };
    } catch (error) {
      known = { letters: Number.NaN, lettersFill: Number.NaN, largeFill: Number.NaN };
      logger.warn({ err: error }, 'how full the dead letters and the large events are is not known');
    }
    await sleep(EVERY_MS, undefined, { signal: stopping }).catch(() => undefined);
  }
}
