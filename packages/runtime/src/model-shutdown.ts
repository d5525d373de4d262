import type { Logger } from './logger.ts';

type Shutdown = { readonly on: string; readonly replacement: string };

/** Models that leave OpenAI's API: its page "Deprecations" as it stood in November 2026. Dated releases go with their model. */
const SHUTDOWNS: readonly (Shutdown & { readonly models: readonly string[] })[] = [
  { on: '2026-12-11', replacement: 'gpt-6-luna', models: ['gpt-5', 'gpt-5-mini', 'gpt-5-nano', 'o3'] },
  { on: '2027-01-14', replacement: 'gpt-6-luna', models: ['gpt-4o', 'gpt-4o-mini', 'gpt-4.1', 'gpt-4.1-mini'] },
  { on: '2027-01-20', replacement: 'gpt-realtime-2.1', models: ['gpt-realtime'] },
  { on: '2027-01-20', replacement: 'gpt-realtime-2.1-mini', models: ['gpt-realtime-mini', 'gpt-audio-mini'] },
  {
    on: '2027-02-26',
    replacement: 'gpt-transcribe',
    models: ['whisper-1', 'gpt-4o-transcribe', 'gpt-4o-mini-transcribe', 'gpt-4o-transcribe-diarize'],
  },
  { on: '2027-04-01', replacement: 'gpt-6-luna', models: ['gpt-5.1'] },
];
const DATED = /-\d{4}-\d{2}-\d{2}$/;

/** When a model leaves OpenAI's API and what it is replaced by; undefined for one that stays, or that nobody here knows. */
export function shutdownOf(model: string): Shutdown | undefined {
  const name = model.replace(DATED, '');
  return SHUTDOWNS.find(({ models }) => models.includes(name));
}

/**
 * One warning at the start of a service for a configured model that leaves, or has left: on that day the provider rejects it and the
 * stage pauses. `variable` is where the model is configured.
 */
export function warnOfShutdown(
  logger: Pick<Logger, 'warn'>,
  configured: { readonly variable: string; readonly model: string },
  now: Date,
): void {
  const shutdown = shutdownOf(configured.model);
  if (shutdown === undefined) return;
  const { on, replacement } = shutdown;
  const verb = now.toISOString().slice(0, 10) < on ? 'leaves' : 'left';
  const what = `${configured.variable}: ${configured.model} ${verb} the API of OpenAI on ${on}; set it to ${replacement}`;
  logger.warn({ model: configured.model }, what);
}
