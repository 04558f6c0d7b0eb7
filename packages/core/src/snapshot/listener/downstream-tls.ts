// The transport socket of an inbound filter chain (Envoy: DownstreamTlsContext).
import {
  DOWNSTREAM_TLS_TYPE_URL,
  DownstreamTlsContextSchema,
  RAW_BUFFER_TYPE_URL,
  type TransportSocket,
  effectiveTypeUrl,
  unpackAny,
} from '@heddle/xds';
import { compileTlsMaterial } from '../cluster/tls-material.js';
import type { CompileReport } from '../compile-report.js';
import type { DownstreamTls } from '../inbound-snapshot.js';

/** Undefined: plain text. A socket that is not known is a fault, never plain text. */
export function compileDownstreamTls(
  socket: TransportSocket | undefined,
  path: string,
  report: CompileReport,
): DownstreamTls | undefined {
  if (socket === undefined) return undefined;
  const any = socket.configType.case === 'typedConfig' ? socket.configType.value : undefined;
  const typeUrl = any === undefined ? '' : effectiveTypeUrl(any);
  if (typeUrl === RAW_BUFFER_TYPE_URL) return undefined;
  const context =
    typeUrl === DOWNSTREAM_TLS_TYPE_URL
      ? report.attempt(path, () => unpackAny(DownstreamTlsContextSchema, any))
      : undefined;
  if (context === undefined) {
    if (typeUrl !== DOWNSTREAM_TLS_TYPE_URL)
      report.fault(path, `the transport socket ${socket.name} (${typeUrl}) is not supported`);
    return undefined;
  }
  const at = `${path}.common_tls_context`;
  const material = compileTlsMaterial(context.commonTlsContext, at, report);
  if (material.certificate === undefined) report.fault(at, 'a server needs a certificate');
  const requireClientCertificate = context.requireClientCertificate ?? false;
  // Clients are verified by the mesh's own bundles; other roots can't be named in this context, and ignoring them would let others in.
  if (requireClientCertificate && material.roots !== undefined && material.roots.kind !== 'identity')
    report.fault(`${at}.validation_context`, "clients are verified by the mesh's trust bundles only (SDS ROOTCA)");
  const fields = {
    requireClientCertificate,
    certificateSource: material.certificate ?? ({ kind: 'identity' } as const),
    alpnProtocols: material.alpnProtocols,
    minVersion: material.minVersion,
    maxVersion: material.maxVersion,
    ciphers: material.ciphers,
  };
  return { ...fields, sans: material.sans, key: JSON.stringify([fields, material.sanKeys]) };
}
