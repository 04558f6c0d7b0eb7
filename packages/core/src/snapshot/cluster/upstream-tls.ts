// The transport sockets of a cluster: which endpoint is dialled with which TLS (Envoy: transport_socket_matches, first match wins).
import {
  type Cluster,
  type Cluster_TransportSocketMatch,
  RAW_BUFFER_TYPE_URL,
  type TransportSocket,
  UPSTREAM_TLS_TYPE_URL,
  type UpstreamTlsContext,
  UpstreamTlsContextSchema,
  effectiveTypeUrl,
  unpackAny,
} from '@heddle/xds';
import type { EndpointSnapshot, UpstreamTls } from '../cluster-snapshot.js';
import type { CompileReport } from '../compile-report.js';
import { compileTlsMaterial } from './tls-material.js';

/** A socket and the tlsMode that an endpoint needs for it; undefined takes every endpoint. */
interface SocketRule {
  readonly tlsMode: string | undefined;
  readonly tls: UpstreamTls | undefined;
}

/** Istio's proxies wrap TLS into a socket that adds metadata (internal_upstream, tap); what counts is inside. */
export function compileUpstreamSockets(
  cluster: Cluster,
  report: CompileReport,
): (endpoint: EndpointSnapshot) => UpstreamTls | undefined {
  const own = compileSocket(cluster.transportSocket, 'transport_socket', report);
  const rules: SocketRule[] = cluster.transportSocketMatches.flatMap((match, index) =>
    compileRule(match, `transport_socket_matches[${index}]`, report),
  );
  if (rules.length === 0) return () => own;
  return (endpoint) => {
    for (const rule of rules) if (rule.tlsMode === undefined || rule.tlsMode === endpoint.tlsMode) return rule.tls;
    return own;
  };
}

function compileRule(match: Cluster_TransportSocketMatch, path: string, report: CompileReport): SocketRule[] {
  const tls = compileSocket(match.transportSocket, `${path}.transport_socket`, report);
  const criteria = Object.entries(match.match ?? {});
  const [first] = criteria;
  if (first === undefined) return [{ tlsMode: undefined, tls }];
  if (criteria.length === 1 && first[0] === 'tlsMode' && typeof first[1] === 'string')
    return [{ tlsMode: first[1], tls }];
  report.fault(`${path}.match`, 'only tlsMode is supported as a criterion');
  return [];
}

function compileSocket(
  socket: TransportSocket | undefined,
  path: string,
  report: CompileReport,
): UpstreamTls | undefined {
  if (socket === undefined) return undefined;
  const any = socket.configType.case === 'typedConfig' ? socket.configType.value : undefined;
  const typeUrl = any === undefined ? '' : effectiveTypeUrl(any);
  if (typeUrl === RAW_BUFFER_TYPE_URL || (any === undefined && socket.name === 'envoy.transport_sockets.raw_buffer'))
    return undefined;
  if (typeUrl === UPSTREAM_TLS_TYPE_URL) {
    const context = report.attempt(path, () => unpackAny(UpstreamTlsContextSchema, any));
    return context === undefined ? undefined : compileContext(context, path, report);
  }
  // Dialling in plain text what should be secured would fail open.
  report.fault(path, `the transport socket ${socket.name} (${typeUrl}) is not supported`);
  return undefined;
}

function compileContext(context: UpstreamTlsContext, path: string, report: CompileReport): UpstreamTls {
  const material = compileTlsMaterial(context.commonTlsContext, `${path}.common_tls_context`, report);
  if (material.roots === undefined)
    report.ignored(`${path}.common_tls_context.validation_context`, "no roots are given: the system's are used");
  const serverName = context.sni === '' ? undefined : context.sni;
  const fields = {
    presentsCertificate: material.certificate !== undefined,
    certificateSource: material.certificate ?? ({ kind: 'identity' } as const),
    rootSource: material.roots ?? ({ kind: 'system' } as const),
    serverName,
    alpnProtocols: material.alpnProtocols,
    minVersion: material.minVersion,
    maxVersion: material.maxVersion,
    ciphers: material.ciphers,
  };
  return { ...fields, sans: material.sans, key: JSON.stringify([fields, material.sanKeys]) };
}
