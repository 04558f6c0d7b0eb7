// Figures of a series of measurements.

export const best = (values: readonly number[]): number => Math.min(...values);

export const median = (values: readonly number[]): number => quantile(values, 0.5);

/** `fraction` 0.99: the value that 99 % of the values do not exceed. NaN of an empty series. */
export function quantile(values: readonly number[], fraction: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * fraction))] ?? NaN;
}
