// Options and environment put together: every default filled in, every value checked. What the rest of the mesh reads.
import { MeshError } from '../errors.js';
import type { Feed, FeedNode } from '@heddle/xds';
import { optionsFromEnvironment, type Environment } from './environment.js';
import type { IdentityOption, LogLevel, MeshLogger, MeshOptions } from './mesh-options.js';

export interface MeshSettings {
  readonly service: {
    readonly name: string;
    readonly namespace: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly serviceAccount: string;
  };
  readonly feeds: readonly (string | Feed)[];
  readonly identity: IdentityOption;
  readonly locality: { readonly region: string; readonly zone: string; readonly subZone: string };
  readonly instanceIp: string;
  readonly podName: string;
  readonly clusterId: string;
  readonly trustDomain: string;
  readonly caAddress: string | undefined;
  readonly tokenFile: string | undefined;
  readonly rootCertFile: string | undefined;
  readonly retryNonIdempotent: boolean;
  readonly admin: string | undefined;
  readonly healthPort: number | undefined;
  readonly log: LogLevel | MeshLogger;
  readonly accessLog: boolean;
  readonly forwardHeaders: readonly string[];
  readonly handleSignals: boolean;
  readonly drainMs: number;
  readonly startTimeoutMs: number;
}

/** Istio's projected files (design §1). */
export const ISTIO_TOKEN_FILE = '/var/run/secrets/tokens/istio-token';
export const ISTIO_ROOT_CERT_FILE = '/var/run/secrets/istio/root-cert.pem';

export interface SettingsSources {
  readonly env: Environment;
  readonly hostname: string;
  readonly fileExists: (path: string) => boolean;
}

/** Pure but for the given sources. Throws MeshError CONFIG_INVALID naming the option or variable. */
export function settingsFrom(options: MeshOptions, sources: SettingsSources): MeshSettings {
  const fromEnv = optionsFromEnvironment(sources.env);
  const merged: MeshOptions = { ...fromEnv, ...options, service: { ...fromEnv.service, ...options.service } };
  const service = serviceSettings(merged);
  const feeds = feedSettings(merged);
  const tokenFile = merged.tokenFile ?? existing(ISTIO_TOKEN_FILE, sources);
  return {
    service,
    feeds,
    identity: merged.identity ?? defaultIdentity(feeds, tokenFile),
    locality: localityFrom(merged.locality ?? ''),
    instanceIp: merged.instanceIp ?? '127.0.0.1',
    podName: merged.podName ?? sources.hostname,
    clusterId: merged.clusterId ?? 'Kubernetes',
    trustDomain: merged.trustDomain ?? 'cluster.local',
    caAddress: merged.caAddress ?? feedAddress(feeds),
    tokenFile,
    rootCertFile: merged.rootCertFile ?? existing(ISTIO_ROOT_CERT_FILE, sources),
    retryNonIdempotent: merged.retryNonIdempotent ?? false,
    admin: merged.admin,
    healthPort: merged.healthPort,
    log: merged.log ?? 'warn',
    accessLog: merged.accessLog ?? false,
    forwardHeaders: (merged.forwardHeaders ?? []).map((name) => name.toLowerCase()),
    handleSignals: merged.handleSignals ?? true,
    drainMs: nonNegative('drainMs', merged.drainMs ?? 10_000),
    startTimeoutMs: nonNegative('startTimeoutMs', merged.startTimeoutMs ?? 15_000),
  };
}

/** The xDS node of this workload: a sidecar to istiod, and the same to any other feed. */
export function feedNodeOf(settings: MeshSettings, heddleVersion: string): FeedNode {
  const { service, instanceIp, podName, locality, clusterId } = settings;
  return {
    id: `sidecar~${instanceIp}~${podName}.${service.namespace}~${service.namespace}.svc.cluster.local`,
    cluster: `${service.name}.${service.namespace}`,
    locality,
    metadata: {
      NAMESPACE: service.namespace,
      CLUSTER_ID: clusterId,
      ISTIO_VERSION: '1.29.2',
      HEDDLE_VERSION: heddleVersion,
      LABELS: service.labels,
      SERVICE_ACCOUNT: service.serviceAccount,
      WORKLOAD_NAME: workloadName(service),
      INSTANCE_IPS: instanceIp,
      NAME: podName,
    },
  };
}

/** `reviews-v1` as Istio's samples name their deployments; the bare name where there is no version. */
export function workloadName(service: MeshSettings['service']): string {
  const version = service.labels['version'];
  return version === undefined ? service.name : `${service.name}-${version}`;
}

function serviceSettings(merged: MeshOptions): MeshSettings['service'] {
  const name = merged.service?.name ?? merged.service?.labels?.['app'] ?? 'heddle';
  if (!/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/.test(name)) {
    throw new MeshError('CONFIG_INVALID', `service.name: expected a DNS label like "reviews", got "${name}"`);
  }
  return {
    name,
    namespace: merged.service?.namespace ?? 'default',
    labels: { app: name, ...merged.service?.labels },
    serviceAccount: merged.service?.serviceAccount ?? name,
  };
}

function feedSettings(merged: MeshOptions): readonly (string | Feed)[] {
  if (merged.feed === undefined) return [];
  const feeds: readonly (string | Feed)[] =
    typeof merged.feed === 'string' ? merged.feed.split(',') : 'open' in merged.feed ? [merged.feed] : merged.feed;
  return feeds.map((feed) => (typeof feed === 'string' ? feed.trim() : feed)).filter((feed) => feed !== '');
}

function defaultIdentity(feeds: readonly (string | Feed)[], tokenFile: string | undefined): IdentityOption {
  const remote = feeds.some((feed) => typeof feed === 'string' && /^xdss?:\/\//.test(feed));
  if (!remote) return 'none';
  return tokenFile === undefined ? 'heddle-ca' : 'istio-ca';
}

/** host:port of the first feed that is a server. */
function feedAddress(feeds: readonly (string | Feed)[]): string | undefined {
  for (const feed of feeds) {
    const address = typeof feed === 'string' ? /^xdss?:\/\/([^/]+)/.exec(feed)?.[1] : undefined;
    if (address !== undefined) return address;
  }
  return undefined;
}

function localityFrom(text: string): MeshSettings['locality'] {
  const [region = '', zone = '', subZone = ''] = text.split('/');
  return { region, zone, subZone };
}

function existing(path: string, sources: SettingsSources): string | undefined {
  return sources.fileExists(path) ? path : undefined;
}

function nonNegative(name: string, value: number): number {
  if (Number.isFinite(value) && value >= 0) return value;
  throw new MeshError('CONFIG_INVALID', `${name}: expected milliseconds of 0 or more, got ${value}`);
}
