// How long the caller will wait, from the headers in which it says so.

const UNIT_MS: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1_000, m: 1, u: 1e-3, n: 1e-6 };

/**
 * Milliseconds that the caller still waits: the smaller of `x-envoy-expected-rq-timeout-ms` (Envoy: router, 0 is "no timeout") and
 * `grpc-timeout`; undefined when neither came or none is well-formed.
 */
export function remainingMsOf(header: (name: string) => string | undefined): number | undefined {
  const envoyMs = parseEnvoyTimeout(header('x-envoy-expected-rq-timeout-ms'));
  const grpcMs = parseGrpcTimeout(header('grpc-timeout'));
  if (envoyMs === undefined) return grpcMs;
  return grpcMs === undefined ? envoyMs : Math.min(envoyMs, grpcMs);
}

function parseEnvoyTimeout(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d{1,15}$/.test(text)) return undefined;
  const ms = Number(text);
  return ms === 0 ? undefined : ms;
}

/** `TimeoutValue TimeoutUnit`, at most eight digits (gRPC over HTTP/2, "Timeout"). Milliseconds; undefined when malformed. */
export function parseGrpcTimeout(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d{1,8}[HMSmun]$/.test(text)) return undefined;
  return Number(text.slice(0, -1)) * (UNIT_MS[text.slice(-1)] ?? 1);
}
