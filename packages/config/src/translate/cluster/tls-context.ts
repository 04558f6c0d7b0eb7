// UpstreamTlsContext in Istio's shapes: mutual TLS with mesh identities, and what a DestinationRule asks for itself.
/* eslint-disable @typescript-eslint/no-deprecated -- istiod writes fields of Envoy's that are deprecated, and unions have such arms */
import {
  ApiConfigSource_ApiType,
  ApiVersion,
  CertificateValidationContextSchema,
  type CommonTlsContext,
  CommonTlsContextSchema,
  type SdsSecretConfig,
  SdsSecretConfigSchema,
  type TransportSocket,
  TransportSocketSchema,
  TlsParameters_TlsProtocol,
  UpstreamTlsContextSchema,
  create,
  packAny,
} from '@heddle/xds';
import type { ClientTlsSpec } from '../../view/spec/istio.js';
import { durationOfMs, exactMatcher } from '../wire.js';

/** SDS names of the workload's own certificate and of the mesh's roots. */
export const OWN_CERTIFICATE = 'default';
export const MESH_ROOTS = 'ROOTCA';

/** A secret from the workload's own agent, as every Istio proxy asks for it (cluster `sds-grpc`). */
export function sdsSecret(name: string): SdsSecretConfig {
  const own = name === OWN_CERTIFICATE || name === MESH_ROOTS;
  return create(SdsSecretConfigSchema, {
    name,
    sdsConfig: {
      resourceApiVersion: ApiVersion.V3,
      // Own secrets are waited for without end; files may be missing (Istio: ConstructSdsSecretConfig).
      ...(own ? { initialFetchTimeout: durationOfMs(0) } : {}),
      configSourceSpecifier: {
        case: 'apiConfigSource',
        value: {
          apiType: ApiConfigSource_ApiType.GRPC,
          transportApiVersion: ApiVersion.V3,
          setNodeOnFirstMessageOnly: true,
          grpcServices: [{ targetSpecifier: { case: 'envoyGrpc', value: { clusterName: 'sds-grpc' } } }],
        },
      },
    },
  });
}

export interface MutualTls {
  /** Identities that the peer may have, `spiffe://…`; empty accepts any identity of the mesh. */
  readonly subjectAltNames: readonly string[];
  readonly sni: string;
  readonly http2: boolean;
}

/** Mutual TLS with mesh identities. ALPN names tell the receiving sidecar that the caller is in the mesh. */
export function istioMutualSocket(tls: MutualTls): TransportSocket {
  const common = commonContext();
  common.tlsCertificateSdsSecretConfigs = [sdsSecret(OWN_CERTIFICATE)];
  common.validationContextType = validation(tls.subjectAltNames, MESH_ROOTS);
  common.alpnProtocols = tls.http2 ? ['istio-peer-exchange', 'istio', 'h2'] : ['istio-peer-exchange', 'istio'];
  return tlsSocket(common, tls.sni);
}

/**
 * TLS as a DestinationRule states it, certificates from files. undefined when MUTUAL lacks its files, and with a revocation list:
 * it is not read, and what it revokes must not be trusted.
 */
export function originatedSocket(tls: ClientTlsSpec, http2: boolean): TransportSocket | undefined {
  if (tls.caCrl !== undefined && tls.caCrl !== '') return undefined;
  const common = commonContext();
  if (tls.mode === 'MUTUAL') {
    if (tls.clientCertificate === undefined || tls.privateKey === undefined) return undefined;
    common.tlsCertificateSdsSecretConfigs = [sdsSecret(`file-cert:${tls.clientCertificate}~${tls.privateKey}`)];
  }
  common.validationContextType =
    tls.insecureSkipVerify === true
      ? { case: 'validationContext', value: create(CertificateValidationContextSchema) }
      : validation(tls.subjectAltNames ?? [], `file-root:${tls.caCertificates ?? 'system'}`);
  if (http2) common.alpnProtocols = ['h2'];
  return tlsSocket(common, tls.sni ?? '');
}

function commonContext(): CommonTlsContext {
  return create(CommonTlsContextSchema, {
    tlsParams: {
      tlsMinimumProtocolVersion: TlsParameters_TlsProtocol.TLSv1_2,
      tlsMaximumProtocolVersion: TlsParameters_TlsProtocol.TLSv1_3,
    },
  });
}

function validation(subjectAltNames: readonly string[], roots: string): CommonTlsContext['validationContextType'] {
  return create(CommonTlsContextSchema, {
    validationContextType: {
      case: 'combinedValidationContext',
      value: {
        defaultValidationContext: { matchSubjectAltNames: subjectAltNames.map(exactMatcher) },
        validationContextSdsSecretConfig: sdsSecret(roots),
      },
    },
  }).validationContextType;
}

function tlsSocket(commonTlsContext: CommonTlsContext, sni: string): TransportSocket {
  return create(TransportSocketSchema, {
    name: 'envoy.transport_sockets.tls',
    configType: { case: 'typedConfig', value: packAny(UpstreamTlsContextSchema, { commonTlsContext, sni }) },
  });
}
