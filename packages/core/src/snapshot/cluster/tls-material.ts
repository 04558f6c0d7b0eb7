// What upstream and downstream TLS contexts share: where certificate and roots come from, peer names, versions (Envoy: CommonTlsContext).
// Istio's SDS names: `default` and `ROOTCA` are this workload's identity, `file-cert:CERT~KEY` and `file-root:PATH` are files, `file-root:system` the system.
import {
  type CertificateValidationContext,
  type CommonTlsContext,
  type DataSource,
  type TlsParameters,
  TlsParameters_TlsProtocol as Protocol,
} from '@heddle/xds';
import type { SanMatcher } from '../../identity/san-matcher.js';
import { compileSanMatchers } from '../../matching/san-matchers.js';
import type { UpstreamTls } from '../cluster-snapshot.js';
import type { CompileReport } from '../compile-report.js';

export type CertificateSource = UpstreamTls['certificateSource'];
export type RootSource = UpstreamTls['rootSource'];

export interface TlsMaterial {
  /** Undefined: no certificate is presented. */
  readonly certificate: CertificateSource | undefined;
  /** Undefined: nothing says how the peer is verified. */
  readonly roots: RootSource | undefined;
  readonly alpnProtocols: readonly string[];
  readonly sans: readonly SanMatcher[];
  /** Text of the SAN matchers with their types, for keys. */
  readonly sanKeys: readonly string[];
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3' | undefined;
  readonly maxVersion: 'TLSv1.2' | 'TLSv1.3' | undefined;
  readonly ciphers: readonly string[];
}

/** Reads a CommonTlsContext. What can't be honoured is a fault at `path`: a context is never weaker than it says. */
export function compileTlsMaterial(
  context: CommonTlsContext | undefined,
  path: string,
  report: CompileReport,
): TlsMaterial {
  const validation = validationOf(context, `${path}.validation_context`, report);
  const params = context?.tlsParams;
  if (context?.customHandshaker !== undefined) report.fault(`${path}.custom_handshaker`, 'is not supported');
  return {
    certificate: certificateOf(context, path, report),
    roots: validation.roots,
    alpnProtocols: context?.alpnProtocols ?? [],
    sans: validation.sans,
    sanKeys: validation.sans.map((san) => `${san.type} ${san.text}`),
    minVersion: versionOf(params?.tlsMinimumProtocolVersion, `${path}.tls_params.tls_minimum_protocol_version`, report),
    maxVersion: versionOf(params?.tlsMaximumProtocolVersion, `${path}.tls_params.tls_maximum_protocol_version`, report),
    ciphers: params?.cipherSuites ?? [],
  };
}

function certificateOf(
  context: CommonTlsContext | undefined,
  path: string,
  report: CompileReport,
): CertificateSource | undefined {
  const [secret] = context?.tlsCertificateSdsSecretConfigs ?? [];
  if (secret !== undefined)
    return certificateByName(secret.name, `${path}.tls_certificate_sds_secret_configs[0]`, report);
  // gRPC's form of the same (GENERATOR=grpc): an instance named `default` is this workload's identity.
  const instance =
    context?.tlsCertificateProviderInstance?.instanceName ??
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- istiod still sends the older field to proxyless gRPC
    context?.tlsCertificateCertificateProviderInstance?.instanceName;
  if (instance !== undefined) return { kind: 'identity' };
  const [inline] = context?.tlsCertificates ?? [];
  if (inline === undefined) return undefined;
  const certificate = fileName(inline.certificateChain);
  const key = fileName(inline.privateKey);
  if (certificate !== undefined && key !== undefined) return { kind: 'files', certificate, key };
  report.fault(`${path}.tls_certificates[0]`, 'only certificates and keys given as file names are supported');
  return undefined;
}

function certificateByName(name: string, path: string, report: CompileReport): CertificateSource | undefined {
  if (name === 'default') return { kind: 'identity' };
  const files = /^file-cert:(.+)~(.+)$/.exec(name);
  if (files?.[1] !== undefined && files[2] !== undefined)
    return { kind: 'files', certificate: files[1], key: files[2] };
  report.fault(path, `the secret ${JSON.stringify(name)} is neither this workload's identity nor a file`);
  return undefined;
}

interface Validation {
  readonly roots: RootSource | undefined;
  readonly sans: readonly SanMatcher[];
}

function validationOf(context: CommonTlsContext | undefined, path: string, report: CompileReport): Validation {
  const type = context?.validationContextType;
  switch (type?.case) {
    case 'validationContext':
      return { roots: rootsOf(type.value, path, report), sans: sansOf(type.value, path, report) };
    case 'validationContextSdsSecretConfig':
      return { roots: rootsByName(type.value.name, path, report), sans: [] };
    case 'combinedValidationContext': {
      const { defaultValidationContext: own, validationContextSdsSecretConfig: secret } = type.value;
      // eslint-disable-next-line @typescript-eslint/no-deprecated -- istiod still sends the older field to proxyless gRPC
      const instance = type.value.validationContextCertificateProviderInstance;
      const named = secret === undefined ? undefined : rootsByName(secret.name, path, report);
      const roots = named ?? (instance === undefined ? rootsOf(own, path, report) : ({ kind: 'identity' } as const));
      return { roots, sans: sansOf(own, path, report) };
    }
    case 'validationContextCertificateProvider':
    case 'validationContextCertificateProviderInstance':
      return { roots: { kind: 'identity' }, sans: [] };
    case undefined:
      return { roots: undefined, sans: [] };
  }
}

function rootsByName(name: string, path: string, report: CompileReport): RootSource | undefined {
  if (name === 'ROOTCA') return { kind: 'identity' };
  if (name === 'file-root:system') return { kind: 'system' };
  const file = /^file-root:(.+)$/.exec(name)?.[1];
  if (file !== undefined) return { kind: 'file', path: file };
  report.fault(path, `the secret ${JSON.stringify(name)} is neither this workload's trust bundle nor a file`);
  return undefined;
}

function rootsOf(
  validation: CertificateValidationContext | undefined,
  path: string,
  report: CompileReport,
): RootSource | undefined {
  if (validation?.caCertificateProviderInstance !== undefined) return { kind: 'identity' };
  if (validation?.systemRootCerts !== undefined) return { kind: 'system' };
  if (validation?.trustedCa === undefined) return undefined;
  const file = fileName(validation.trustedCa);
  if (file !== undefined) return { kind: 'file', path: file };
  report.fault(`${path}.trusted_ca`, 'only roots given as a file name are supported');
  return undefined;
}

/** Conditions beyond chain and names can't be dropped silently: certificates pinned or revoked would pass. */
function sansOf(
  validation: CertificateValidationContext | undefined,
  path: string,
  report: CompileReport,
): readonly SanMatcher[] {
  if (validation === undefined) return [];
  if (validation.verifyCertificateHash.length > 0) report.fault(`${path}.verify_certificate_hash`, 'is not supported');
  if (validation.verifyCertificateSpki.length > 0) report.fault(`${path}.verify_certificate_spki`, 'is not supported');
  if (validation.crl !== undefined) report.fault(`${path}.crl`, 'is not supported');
  if (validation.customValidatorConfig !== undefined)
    report.fault(`${path}.custom_validator_config`, 'is not supported');
  return (
    report.attempt(`${path}.match_typed_subject_alt_names`, () =>
      // eslint-disable-next-line @typescript-eslint/no-deprecated -- Envoy still honours the untyped matchers
      compileSanMatchers(validation.matchTypedSubjectAltNames, validation.matchSubjectAltNames),
    ) ?? []
  );
}

function fileName(source: DataSource | undefined): string | undefined {
  return source?.specifier.case === 'filename' ? source.specifier.value : undefined;
}

/** Versions below 1.2 are not spoken: a lower minimum means Node's own. */
function versionOf(
  version: TlsParameters['tlsMinimumProtocolVersion'] | undefined,
  path: string,
  report: CompileReport,
): 'TLSv1.2' | 'TLSv1.3' | undefined {
  switch (version) {
    case undefined:
    case Protocol.TLS_AUTO:
      return undefined;
    case Protocol.TLSv1_0:
    case Protocol.TLSv1_1:
      report.ignored(path, 'versions below TLS 1.2 are not spoken');
      return undefined;
    case Protocol.TLSv1_2:
      return 'TLSv1.2';
    case Protocol.TLSv1_3:
      return 'TLSv1.3';
  }
}
