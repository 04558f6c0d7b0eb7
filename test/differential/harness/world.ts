// Who lives where in every case, as cases/world.yaml says.
export const UPSTREAMS: Readonly<Record<string, string>> = {
  'reviews-v1': '127.81.1.1',
  'reviews-v2': '127.81.1.2',
  'reviews-v3': '127.81.1.3',
  'ratings-v1': '127.81.2.1',
  'ratings-v2': '127.81.2.2',
  'details-v1': '127.81.3.1',
  'details-v2': '127.81.3.2',
  'mixed-live': '127.81.4.3',
  'elsewhere-v1': '127.81.6.1',
};

export const PORT = 9080;

/** Envoy's and Heddle's workloads of a pair. */
export const CALLERS = { e: '127.81.9.1', h: '127.81.9.2' } as const;
export const SERVERS = { e: '127.81.5.1', h: '127.81.5.2' } as const;

export type Lane = 'e' | 'h';

export const callerLabels = { app: 'productpage', version: 'v1' } as const;
export const serverLabels = (lane: Lane) => ({
  app: 'server',
  version: 'v1',
  lane,
  'security.istio.io/tlsMode': 'istio',
});
