import { badRequest } from '../api-error.ts';
import { isReasoning, type Model } from '../models.ts';

/** Models that think take no temperature but the default. */
export function checkTemperature(model: Model, temperature: number | null | undefined): void {
  if (!isReasoning(model) || temperature === undefined || temperature === null || temperature === 1) return;
  const message = `Unsupported value: 'temperature' does not support ${temperature} with this model. Only the default (1) value is supported.`;
  throw badRequest(message, 'temperature', 'unsupported_value');
}
