// Envoy's default histogram buckets, which Istio uses for milliseconds and for bytes alike.

/** Upper bounds; `+Inf` comes after the last (Envoy: stats config, default supported buckets). */
export const BUCKET_BOUNDS: readonly number[] = [
  0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 30000, 60000, 300000, 600000, 1800000, 3600000,
];

/** The values of label `le`, byte for byte as Envoy writes them. */
export const BUCKET_LABELS: readonly string[] = [...BUCKET_BOUNDS.map(String), '+Inf'];

/** Buckets including `+Inf`. */
export const BUCKET_COUNT = 20;

const bounds = Float64Array.from(BUCKET_BOUNDS);

/** Index of the first bucket whose bound is at least `value`. */
export function bucketIndex(value: number): number {
  let low = 0;
  let high = BUCKET_COUNT - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((bounds[middle] as number) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
