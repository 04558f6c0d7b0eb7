// How a workload accepts mutual TLS: its own certificate, callers of its trust domains only (Istio: BuildInboundTLS).
/* eslint-disable @typescript-eslint/no-deprecated -- istiod writes fields of Envoy's that are deprecated, and unions have such arms */
import {
  DownstreamTlsContextSchema,
  type TransportSocket,
  TransportSocketSchema,
  TlsParameters_TlsProtocol as TlsProtocol,
  create,
  packAny,
} from '@heddle/xds';
import type { MeshSettings } from '../../view/mesh-settings.js';
import { textMatcher } from '../authorization/string-match.js';
import { MESH_ROOTS, OWN_CERTIFICATE, sdsSecret } from '../cluster/tls-context.js';

const CIPHER_SUITES = [
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'AES256-GCM-SHA384',
  'AES128-GCM-SHA256',
];

export function downstreamTls(kind: 'http' | 'tcp', settings: MeshSettings): TransportSocket {
  const domains = [settings.trustDomain, ...settings.trustDomainAliases];
  const context = create(DownstreamTlsContextSchema, {
    requireClientCertificate: true,
    commonTlsContext: {
      tlsParams: {
        tlsMinimumProtocolVersion: TlsProtocol.TLSv1_2,
        tlsMaximumProtocolVersion: TlsProtocol.TLSv1_3,
        cipherSuites: CIPHER_SUITES,
      },
      tlsCertificateSdsSecretConfigs: [sdsSecret(OWN_CERTIFICATE)],
      validationContextType: {
        case: 'combinedValidationContext',
        value: {
          defaultValidationContext: {
            matchSubjectAltNames: domains.map((domain) => textMatcher('prefix', `spiffe://${domain}/`)),
          },
          validationContextSdsSecretConfig: sdsSecret(MESH_ROOTS),
        },
      },
      alpnProtocols: kind === 'http' ? ['h2', 'http/1.1'] : ['istio-peer-exchange', 'h2', 'http/1.1'],
    },
  });
  return create(TransportSocketSchema, {
    name: 'envoy.transport_sockets.tls',
    configType: { case: 'typedConfig', value: packAny(DownstreamTlsContextSchema, context) },
  });
}
