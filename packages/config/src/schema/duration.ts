// Durations as configuration writes them. Istio takes Go's form (`1h30m`, `0.5s`, `100ms`), Gateway API the narrower GEP-2257 form.

const unitMs: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1e3,
  m: 6e4,
  h: 3.6e6,
};

const gatewayForm = /^([0-9]{1,5}(h|m|s|ms)){1,4}$/;

/** Milliseconds, or undefined when the text is no Go duration (time.ParseDuration). `0` needs no unit. */
export function parseGoDuration(text: string): number | undefined {
  const sign = text.startsWith('-') ? -1 : 1;
  const unsigned = /^[+-]/.test(text) ? text.slice(1) : text;
  if (unsigned === '0') return 0;
  if (unsigned === '') return undefined;
  let totalMs = 0;
  const part = /(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/y;
  while (part.lastIndex < unsigned.length) {
    const found = part.exec(unsigned);
    if (!found) return undefined;
    totalMs += Number(found[1]) * (unitMs[found[2] ?? ''] ?? 0);
  }
  return sign * totalMs;
}

/** Milliseconds, or undefined when the text is no Gateway API duration (GEP-2257: whole numbers, at most four parts, h m s ms). */
export function parseGatewayDuration(text: string): number | undefined {
  return gatewayForm.test(text) ? parseGoDuration(text) : undefined;
}
