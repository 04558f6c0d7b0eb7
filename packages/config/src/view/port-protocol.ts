// What a service port speaks: appProtocol first, then the prefix of the port's name (Istio: protocol selection).

export type PortProtocol = 'http' | 'http2' | 'grpc' | 'grpc-web' | 'https' | 'tls' | 'tcp' | 'udp' | 'auto';

const byName: Readonly<Record<string, PortProtocol>> = {
  http: 'http',
  http2: 'http2',
  h2c: 'http2',
  grpc: 'grpc',
  'grpc-web': 'grpc-web',
  https: 'https',
  tls: 'tls',
  tcp: 'tcp',
  mongo: 'tcp',
  mysql: 'tcp',
  redis: 'tcp',
  udp: 'udp',
};
const byAppProtocol: Readonly<Record<string, PortProtocol>> = {
  'kubernetes.io/h2c': 'http2',
  'kubernetes.io/ws': 'http',
  'kubernetes.io/wss': 'https',
};

/** Protocol of a Kubernetes service port. Ports that say nothing are detected per connection (`auto`). */
export function kubernetesPortProtocol(port: {
  readonly name?: string;
  readonly protocol?: string;
  readonly appProtocol?: string;
}): PortProtocol {
  if (port.protocol !== undefined && port.protocol !== 'TCP') return 'udp';
  const stated = port.appProtocol?.toLowerCase();
  if (stated !== undefined) return byAppProtocol[stated] ?? byName[stated] ?? 'auto';
  const name = (port.name ?? '').toLowerCase();
  if (name === 'grpc-web' || name.startsWith('grpc-web-')) return 'grpc-web';
  return byName[name.split('-', 1)[0] ?? ''] ?? 'auto';
}

/** Protocol as a ServiceEntry spells it (`HTTP`, `GRPC`, `TLS`, `MONGO`, …). */
export function declaredProtocol(protocol: string | undefined): PortProtocol {
  return byName[(protocol ?? '').toLowerCase()] ?? 'auto';
}

/** Requests of such a port are routed by HTTP rules. */
export function isHttp(protocol: PortProtocol): boolean {
  return protocol === 'http' || protocol === 'http2' || protocol === 'grpc' || protocol === 'grpc-web';
}

/** The endpoint is spoken to in HTTP/2 with prior knowledge. */
export function isHttp2(protocol: PortProtocol): boolean {
  return protocol === 'http2' || protocol === 'grpc' || protocol === 'grpc-web';
}
