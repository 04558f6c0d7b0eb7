// The whole translation for one workload: where the parts come together.
import type { Workload } from '../model/workload.js';
import type { Finding } from '../model/finding.js';
import type { MeshView } from '../view/mesh-view.js';
import { outboundClusters } from './cluster/outbound-clusters.js';
import { translationContext } from './context.js';
import { inboundClusters } from './inbound/inbound-clusters.js';
import { virtualInbound } from './inbound/virtual-inbound.js';
import { outboundListeners } from './listener/outbound-listeners.js';
import { Reuse } from './reuse.js';
import { routeConfigurations } from './route/route-configurations.js';
import type { TranslatedResources } from './translated.js';

/**
 * What istiod would send to a sidecar of this workload. Pure but for `reuse`: with the one of the former translation for the
 * same workload, parts whose inputs did not change are the same messages.
 */
export function translate(view: MeshView, workload: Workload, reuse: Reuse = new Reuse()): TranslatedResources {
  reuse.next();
  const context = translationContext(view, workload, reuse);
  const outbound = outboundClusters(context);
  const { listeners, routeNames } = outboundListeners(context);
  return {
    clusters: [...outbound.clusters, ...inboundClusters(context)],
    endpoints: outbound.endpoints,
    routes: routeConfigurations(context, routeNames),
    listeners: [...listeners, virtualInbound(context)],
    findings: distinct(context.findings),
  };
}

/** A rule is translated for several ports and chains; its finding is told once. */
function distinct(findings: readonly Finding[]): readonly Finding[] {
  const seen = new Map(
    findings.map((finding) => [
      `${finding.code} ${finding.object ?? ''} ${finding.field ?? ''} ${finding.message}`,
      finding,
    ]),
  );
  return [...seen.values()];
}
