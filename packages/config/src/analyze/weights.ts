// Weights of the destinations of one rule. Istio and Gateway API share traffic by weight / sum; a missing weight differs between them.
import type { ConfigObject, FieldPath } from '../model/config-object.js';
import { messages } from './messages.js';
import type { Report } from './report.js';

/** `whenMissing`: Gateway API counts a missing weight as 1, Istio as 0 unless the destination is the only one. */
export function checkWeights(
  object: ConfigObject<unknown>,
  destinations: readonly { readonly weight?: number | undefined }[],
  path: FieldPath,
  report: Report,
  whenMissing = destinations.length === 1 ? 100 : 0,
): void {
  const place = (index?: number) => ({
    object,
    path: index === undefined ? path : [...path, index, 'weight'],
  });
  const weights = destinations.map(({ weight }) => weight ?? whenMissing);
  weights.forEach((weight, index) => {
    if (weight < 0) report(messages.negativeWeight, place(index), { weight });
  });
  if (weights.length === 0 || weights.some((weight) => weight < 0)) return;
  const sum = weights.reduce((total, weight) => total + weight, 0);
  // One destination takes everything, whatever its weight says; Gateway API answers 500 for weight 0 on purpose.
  if (sum === 0 && destinations.length > 1) report(messages.zeroWeights, place(), {});
  // Near 100 but not 100 is a slip; 1:1:2 is meant.
  if (destinations.length > 1 && sum !== 100 && sum >= 90 && sum <= 110)
    report(messages.weightsNot100, place(), { sum });
}
