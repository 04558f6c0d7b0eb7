// PeerAuthentication: which mode holds on a workload's port. Mesh, then namespace, then workload, then port; the oldest of
// each level wins and UNSET inherits (Istio: ComposePeerAuthentication).
import type { ConfigObject } from '../model/config-object.js';
import type { MtlsMode, PeerAuthenticationSpec } from './spec/istio.js';
import { selects } from './workload-instances.js';

export type EffectiveMtls = 'STRICT' | 'PERMISSIVE' | 'DISABLE';

export interface WorkloadMtls {
  readonly mode: EffectiveMtls;
  readonly byPort: ReadonlyMap<number, EffectiveMtls>;
  /** The policy that set the mode; undefined for the default. */
  readonly object: ConfigObject | undefined;
}

/** `policies` in age order, oldest first. */
export function mtlsOf(
  policies: readonly ConfigObject[],
  workload: { readonly namespace: string; readonly labels: Readonly<Record<string, string>> },
  rootNamespace: string,
): WorkloadMtls {
  const { namespace, labels } = workload;
  const mesh = policies.find((policy) => policy.metadata.namespace === rootNamespace && !hasSelector(policy));
  const own = policies.filter((policy) => policy.metadata.namespace === namespace && namespace !== rootNamespace);
  const ofNamespace = own.find((policy) => !hasSelector(policy));
  const ofWorkload = own.find((policy) => hasSelector(policy) && selects(specOf(policy).selector?.matchLabels, labels));
  let mode: EffectiveMtls = 'PERMISSIVE';
  let object: ConfigObject | undefined;
  for (const policy of [mesh, ofNamespace, ofWorkload]) {
    const stated = policy === undefined ? undefined : statedMode(specOf(policy).mtls?.mode);
    if (stated === undefined) continue;
    mode = stated;
    object = policy;
  }
  const byPort = new Map<number, EffectiveMtls>();
  const perPort = ofWorkload === undefined ? {} : (specOf(ofWorkload).portLevelMtls ?? {});
  for (const [port, entry] of Object.entries(perPort)) byPort.set(Number(port), statedMode(entry.mode) ?? mode);
  return { mode, byPort, object };
}

export function mtlsOfPort(mtls: WorkloadMtls, port: number): EffectiveMtls {
  return mtls.byPort.get(port) ?? mtls.mode;
}

/** The mode of a namespace, without workload policies: what a client expects of a service there. */
export function mtlsOfNamespace(
  policies: readonly ConfigObject[],
  namespace: string,
  rootNamespace: string,
): EffectiveMtls {
  const general = policies.filter((policy) => !hasSelector(policy));
  return mtlsOf(general, { namespace, labels: {} }, rootNamespace).mode;
}

function specOf(policy: ConfigObject): PeerAuthenticationSpec {
  return policy.spec;
}

function hasSelector(policy: ConfigObject): boolean {
  return Object.keys(specOf(policy).selector?.matchLabels ?? {}).length > 0;
}

function statedMode(mode: MtlsMode | undefined): EffectiveMtls | undefined {
  return mode === undefined || mode === 'UNSET' ? undefined : mode;
}
