// Which traffic policy holds for a port of a subset: the subset's overrides the service's, field by field, and port settings
// replace the whole policy of their level (Istio: MergeTrafficPolicy, "port-level settings will override ... all").
import type { MergedRule } from '../../view/destination-rules.js';
import type { SubsetSpec, TrafficPolicySpec } from '../../view/spec/istio.js';

export type PortPolicy = Omit<TrafficPolicySpec, 'portLevelSettings'>;

export function policyFor(rule: MergedRule | undefined, port: number, subset?: SubsetSpec): PortPolicy {
  const base = atPort(rule?.trafficPolicy, port) ?? {};
  if (subset === undefined) return base;
  return overlay(rule?.trafficPolicy, subset.trafficPolicy, port);
}

/** A subset's own port settings win over everything, then its policy, then the service's (each block as a whole). */
function overlay(
  service: TrafficPolicySpec | undefined,
  subset: TrafficPolicySpec | undefined,
  port: number,
): PortPolicy {
  const base = atPort(service, port) ?? {};
  if (subset === undefined) return base;
  const own = subset.portLevelSettings?.find((settings) => settings.port?.number === port);
  if (own !== undefined) return own;
  return { ...base, ...subset };
}

function atPort(policy: TrafficPolicySpec | undefined, port: number): PortPolicy | undefined {
  return policy?.portLevelSettings?.find((settings) => settings.port?.number === port) ?? policy;
}
