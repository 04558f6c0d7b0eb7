// Weights of the destinations of one rule. Istio and Gateway API both share traffic by weight / sum.
import type { ConfigObject, FieldPath } from '../model/config-object.js';
import { messages } from './messages.js';
import type { Report } from './report.js';

interface Weighted {
  readonly object: ConfigObject<unknown>;
  /** Of the list of destinations. */
  readonly path: FieldPath;
  /** One for each destination; what is missing is filled in by the caller, since its meaning differs. */
  readonly weights: readonly number[];
}

/** Istio refuses negative weights, and several destinations that all have weight 0. */
export function checkWeights({ object, path, weights }: Weighted, report: Report): void {
  weights.forEach((weight, index) => {
    if (weight < 0) report(messages.negativeWeight, { object, path: [...path, index, 'weight'] }, { weight });
  });
  if (weights.some((weight) => weight < 0)) return;
  if (weights.length > 1 && sumOf(weights) === 0) report(messages.zeroWeights, { object, path }, {});
  checkPercent({ object, path, weights }, report);
}

/** Near 100 but not 100 is a slip of somebody who thinks in percent; 1:1:2 is meant. */
export function checkPercent({ object, path, weights }: Weighted, report: Report): void {
  const sum = sumOf(weights);
  if (weights.length > 1 && sum !== 100 && sum >= 90 && sum <= 110)
    report(messages.weightsNot100, { object, path }, { sum });
}

const sumOf = (weights: readonly number[]) => weights.reduce((total, weight) => total + weight, 0);
