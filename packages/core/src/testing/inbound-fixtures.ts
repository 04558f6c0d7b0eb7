// Typed parts for tests of the inbound side: snapshots of filter chains, workloads with rotating certificates, telemetry that keeps its records.
import { systemClock } from '../clock.js';
import type { Clock } from '../clock.js';
import type { FilterBuild, FilterStateStore, HttpFilter } from '../filters/http-filter.js';
import type { NetworkFilter } from '../filters/network-filter.js';
import type { DownstreamSecurity, UpstreamSecurity } from '../identity/connection-security.js';
import type { IdentityProvider, IdentitySink } from '../identity/identity-provider.js';
import { IdentityStore } from '../identity/identity-store.js';
import { readSvid } from '../identity/svid.js';
import { createTlsContexts } from '../identity/tls-contexts.js';
import { trustBundles } from '../identity/trust-bundles.js';
import type {
  ConnectionFacts,
  DownstreamTls,
  FilterChainSnapshot,
  InboundHttp,
  InboundSnapshot,
} from '../snapshot/inbound-snapshot.js';
import type { Snapshot } from '../snapshot/snapshot.js';
import type { CallRecord } from '../telemetry/call-record.js';
import type { InboundTelemetry } from '../telemetry/call-telemetry.js';
import { createTelemetry } from '../telemetry/create-telemetry.js';
import type { TestAuthority } from './test-certificates.js';

/** The TLS context that istiod gives an inbound mutual TLS chain. */
export const mutualTls: DownstreamTls = {
  requireClientCertificate: true,
  certificateSource: { kind: 'identity' },
  alpnProtocols: ['h2', 'http/1.1'],
  sans: [],
  minVersion: undefined,
  maxVersion: undefined,
  ciphers: [],
  key: 'mutual',
};

/** HTTP settings as istiod sends them, with the given filters on every route. */
export function inboundHttp(filters: readonly HttpFilter[] = [], changes: Partial<InboundHttp> = {}): InboundHttp {
  return {
    statPrefix: 'inbound_0.0.0.0_9080',
    filters,
    filtersFor: () => ({ routeName: 'default', filters, timeoutMs: 0 }),
    normalizePath: true,
    mergeSlashes: false,
    escapedSlashes: 'keep',
    forwardClientCert: 'append-forward',
    ...changes,
  };
}

export interface ChainOptions {
  readonly http?: InboundHttp;
  readonly networkFilters?: readonly NetworkFilter[];
  readonly tls?: DownstreamTls;
}

export function filterChain(
  name: string,
  tls: DownstreamTls | undefined,
  options: ChainOptions = {},
): FilterChainSnapshot {
  const http = options.http ?? inboundHttp();
  return { name, tls, networkFilters: options.networkFilters ?? [], handler: { kind: 'http', http } };
}

export type TlsMode = 'strict' | 'permissive' | 'disable';

/** What a PeerAuthentication of this mode comes to. */
export function inboundSnapshot(mode: TlsMode, options: ChainOptions = {}): InboundSnapshot {
  const secure = mode === 'disable' ? undefined : filterChain('mtls', options.tls ?? mutualTls, options);
  const plain = mode === 'strict' ? undefined : filterChain('plain', undefined, options);
  const chains = [secure, plain].filter((chain) => chain !== undefined);
  return {
    version: mode,
    chains,
    chainFor: (facts: ConnectionFacts) => (facts.transport === 'tls' ? secure : plain),
    portMode: () => ({
      tls: secure !== undefined,
      plain: plain !== undefined,
      contexts: secure?.tls === undefined ? [] : [secure.tls],
    }),
  };
}

/** A snapshot with only an inbound side. Generation 0 is the empty one before the feed's first delivery. */
export function snapshotOf(inbound: InboundSnapshot | undefined, generation = 1): Snapshot {
  return {
    generation,
    outboundListener: () => undefined,
    listenerByName: () => undefined,
    routeTable: () => undefined,
    cluster: () => undefined,
    clusterNames: () => [],
    inbound,
    unsupported: () => [],
  };
}

export interface TestWorkload {
  readonly security: UpstreamSecurity & DownstreamSecurity;
  /** Takes a new key and certificate; `trusted` replaces the authorities that it trusts from now on. */
  rotate(trusted?: readonly TestAuthority[]): void;
  close(): void;
}

/** A workload with an identity of the authority, and trust in it and in `federated` ones. */
export function testWorkload(
  authority: TestAuthority,
  spiffeId: string,
  federated: readonly TestAuthority[] = [],
): TestWorkload {
  let sink: IdentitySink | undefined;
  const rotate = (trusted: readonly TestAuthority[] = [authority, ...federated]): void => {
    const bundles = trustBundles(trusted.map((one) => [one.trustDomain, one.rootPem] as const));
    const pair = authority.issue({ spiffeId });
    const read = readSvid(pair.certificateChainPem, pair.privateKeyPem);
    if (!read.ok) throw new Error(read.reason);
    sink?.onState({ svid: read.svid, bundles });
  };
  const provider: IdentityProvider = {
    name: 'test',
    open: (opened) => {
      sink = opened;
      rotate();
      return { close: () => undefined };
    },
  };
  const store = new IdentityStore({ provider, clock: systemClock });
  return { security: createTlsContexts(store, systemClock), rotate, close: () => store.close() };
}

/** The real inbound telemetry, whose finished records a test can await. */
export function recordingTelemetry(clock: Clock = systemClock): {
  readonly telemetry: InboundTelemetry;
  readonly calls: CallRecord[];
  /** Resolves with the next call that finishes, or the last one if `count` have finished already. */
  readonly finished: (count: number) => Promise<CallRecord>;
} {
  const calls: CallRecord[] = [];
  let onFinish: (() => void) | undefined;
  const { inbound } = createTelemetry({
    node: {
      workload: 'w',
      namespace: 'n',
      labels: {},
      serviceAccount: 'sa',
      clusterId: 'c',
      trustDomain: 'cluster.local',
    },
    ownPrincipal: () => undefined,
    clock,
    draws: () => 0.5,
  });
  const telemetry: InboundTelemetry = {
    ...inbound,
    readsRequestId: () => true,
    finish(call) {
      inbound.finish(call);
      calls.push(call);
      onFinish?.();
    },
  };
  const finished = async (count: number): Promise<CallRecord> => {
    while (calls.length < count) await new Promise<void>((resolve) => (onFinish = resolve));
    const last = calls[count - 1];
    if (last === undefined) throw new Error('no such call');
    return last;
  };
  return { telemetry, calls, finished };
}

/** State that lives as long as the test. */
export function testFilterStates(): FilterStateStore {
  const states = new Map<string, unknown>();
  return {
    stateFor<State>(key: string, create: () => State): State {
      if (!states.has(key)) states.set(key, create());
      return states.get(key) as State;
    },
  };
}

/** What a filter is built with; `unsupported` collects paths. */
export function filterBuild(changes: Partial<FilterBuild> = {}): FilterBuild & { readonly reported: string[] } {
  const reported: string[] = [];
  return {
    name: 'filter',
    scope: 'inbound/9080',
    direction: 'inbound',
    clock: systemClock,
    state: testFilterStates(),
    unsupported: (path) => reported.push(path),
    reported,
    ...changes,
  };
}
