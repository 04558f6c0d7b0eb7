// Envoy's FractionalPercent and its runtime variant, as a share between 0 and 1. Runtime keys have no meaning here: the default value holds.
import { type FractionalPercent, FractionalPercent_DenominatorType, type RuntimeFractionalPercent } from '@heddle/xds';

/** 0 to 1, capped. An unset percentage is 0 (proto default). */
export function fraction(percent: FractionalPercent | undefined): number {
  return percent === undefined ? 0 : Math.min(1, percent.numerator / denominator(percent.denominator));
}

/** The default value of a runtime fraction, or `fallback` where nothing is set. */
export function runtimeFraction(runtime: RuntimeFractionalPercent | undefined, fallback: number): number {
  return runtime?.defaultValue === undefined ? fallback : fraction(runtime.defaultValue);
}

/** True for a share of draws; 0 is never, 1 is always, and neither looks at the draw. */
export function chosen(share: number, draw: () => number): boolean {
  if (share <= 0) return false;
  return share >= 1 || draw() < share;
}

function denominator(type: FractionalPercent_DenominatorType): number {
  switch (type) {
    case FractionalPercent_DenominatorType.HUNDRED:
      return 100;
    case FractionalPercent_DenominatorType.TEN_THOUSAND:
      return 10_000;
    case FractionalPercent_DenominatorType.MILLION:
      return 1_000_000;
  }
}
