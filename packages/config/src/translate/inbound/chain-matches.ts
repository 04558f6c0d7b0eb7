// Which filter chains a port needs for its protocol and mutual TLS mode, in the order in which istiod lists them
// (Istio: filterchain_options.go).
import type { PortProtocol } from '../../view/port-protocol.js';
import { isHttp } from '../../view/port-protocol.js';
import type { EffectiveMtls } from '../../view/peer-authentication.js';

export interface ChainMatch {
  readonly kind: 'http' | 'tcp';
  readonly transport: 'tls' | 'raw_buffer';
  /** Empty matches any. */
  readonly alpn: readonly string[];
  /** The chain ends TLS; a `tls` transport without it hands the bytes on. */
  readonly terminates: boolean;
}

const MTLS_HTTP = ['istio-http/1.0', 'istio-http/1.1', 'istio-h2'];
const MTLS_TCP = ['istio-peer-exchange', 'istio'];
const MTLS_ANY = ['istio', 'istio-peer-exchange', ...MTLS_HTTP];
const PLAIN_HTTP = ['http/1.1', 'h2c'];

function chain(
  kind: ChainMatch['kind'],
  transport: ChainMatch['transport'],
  alpn: readonly string[],
  terminates = false,
): ChainMatch {
  return { kind, transport, alpn, terminates };
}

export function chainMatches(protocol: PortProtocol, mode: EffectiveMtls): readonly ChainMatch[] {
  if (isHttp(protocol)) return HTTP[mode];
  return protocol === 'auto' ? DETECTED[mode] : TCP[mode];
}

type ByMode = Readonly<Record<EffectiveMtls, readonly ChainMatch[]>>;

const HTTP: ByMode = {
  STRICT: [chain('http', 'tls', [], true)],
  PERMISSIVE: [chain('http', 'tls', MTLS_ANY, true), chain('http', 'raw_buffer', [])],
  DISABLE: [chain('http', 'raw_buffer', [])],
};
const TCP: ByMode = {
  STRICT: [chain('tcp', 'tls', [], true)],
  PERMISSIVE: [chain('tcp', 'tls', MTLS_ANY, true), chain('tcp', 'tls', []), chain('tcp', 'raw_buffer', [])],
  DISABLE: [chain('tcp', 'raw_buffer', [])],
};
const DETECTED: ByMode = {
  STRICT: [chain('http', 'tls', MTLS_HTTP, true), chain('tcp', 'tls', [], true)],
  PERMISSIVE: [
    chain('http', 'tls', MTLS_HTTP, true),
    chain('http', 'raw_buffer', PLAIN_HTTP),
    chain('tcp', 'tls', MTLS_TCP, true),
    chain('tcp', 'raw_buffer', []),
    chain('tcp', 'tls', []),
  ],
  DISABLE: [chain('http', 'raw_buffer', PLAIN_HTTP), chain('tcp', 'raw_buffer', [])],
};
