// VirtualServices that claim the same host for sidecars: Istio merges nothing there, one of them loses.
import type { ConfigObject } from '../../../model/config-object.js';
import { describeObject } from '../../../model/config-object.js';
import type { Analyzer } from '../../analyzer.js';
import type { ConfigView } from '../../config-view.js';
import { messages } from '../../messages.js';

export const virtualServiceHosts: Analyzer = {
  name: 'virtual-service-hosts',
  description: 'Hosts that several VirtualServices claim for the gateway `mesh` in one namespace',
  inputs: ['VirtualService'],
  scope: 'mesh',
  analyze(view, report) {
    const claims = collectClaims(view);
    for (const claim of claims.flatMap(([, list]) => list)) {
      const rivals = claims
        .filter(([host]) => host === claim.resolved)
        .flatMap(([, list]) => list)
        .filter((other) => other.object !== claim.object && scopesMeet(claim.scopes, other.scopes));
      if (rivals.length === 0) continue;
      const others = [...new Set(rivals.map(({ object }) => describeObject(object)))].join(', ');
      const path = ['spec', 'hosts', claim.index];
      report(messages.conflictingHosts, { object: claim.object, path }, { host: claim.host, others });
    }
  },
};

interface Claim {
  readonly object: ConfigObject<unknown>;
  readonly host: string;
  readonly resolved: string;
  readonly index: number;
  /** Namespaces that see it, or `*`. */
  readonly scopes: readonly string[];
}

function collectClaims(view: ConfigView): [string, Claim[]][] {
  const claims = new Map<string, Claim[]>();
  for (const object of view.all('VirtualService')) {
    const { spec, metadata } = object;
    if (!(spec.gateways ?? ['mesh']).includes('mesh')) continue;
    const scopes = (spec.exportTo ?? ['*']).map((scope) => (scope === '.' ? metadata.namespace : scope));
    spec.hosts?.forEach((host, index) => {
      const resolved = view.resolve(host, metadata.namespace);
      const claim = { object, host, resolved, index, scopes };
      claims.set(resolved, [...(claims.get(resolved) ?? []), claim]);
    });
  }
  return [...claims].filter(([, list]) => list.length > 1);
}

const scopesMeet = (a: readonly string[], b: readonly string[]) =>
  a.includes('*') || b.includes('*') || a.some((scope) => b.includes(scope));
