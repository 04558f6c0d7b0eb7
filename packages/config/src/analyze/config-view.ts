// What analyzers see: the objects by kind, the services and workloads they declare, and look-ups of hosts as Istio resolves them.
import type { ConfigObject } from '../model/config-object.js';
import type { KindName, SpecTypes } from '../schema/spec-types.js';
import { findKind } from '../schema/kinds.js';
import { didYouMean } from '../schema/nearest-name.js';
import { exportedTo } from '../view/destination-rules.js';
import { hostCovers, isWildcard, resolveHost } from '../view/host-names.js';
import type { MeshService } from '../view/mesh-service.js';
import { kubernetesService, serviceEntryServices } from '../view/services.js';

export interface MeshNames {
  /** `cluster.local` by default. */
  readonly clusterDomain: string;
  /** Namespace whose policies hold for the whole mesh; `istio-system` by default. */
  readonly rootNamespace: string;
}

export const defaultMeshNames: MeshNames = { clusterDomain: 'cluster.local', rootNamespace: 'istio-system' };

type Labels = Readonly<Record<string, string>>;

/** Something that runs: a Pod, a WorkloadEntry, a WorkloadGroup, or the pod template of a Deployment and its like. */
export interface DeclaredWorkload {
  readonly name: string;
  readonly namespace: string;
  readonly labels: Labels;
}

export type ObjectOf<K extends KindName> = ConfigObject<SpecTypes[K]>;

export class ConfigView {
  readonly names: MeshNames;
  readonly #byKind = new Map<KindName, ConfigObject[]>();
  readonly #templates: readonly ConfigObject[];
  #services: readonly MeshService[] | undefined;
  #byHost: ReadonlyMap<string, readonly MeshService[]> | undefined;
  #wildcards: readonly MeshService[] = [];
  #workloads: readonly DeclaredWorkload[] | undefined;
  #byLabel: ReadonlyMap<string, readonly DeclaredWorkload[]> | undefined;

  /** `unread` are objects of other kinds; those with a pod template stand for workloads. */
  constructor(objects: readonly ConfigObject[], unread: readonly ConfigObject[] = [], names = defaultMeshNames) {
    this.names = names;
    this.#templates = unread.filter((object) => 'template' in object.spec);
    for (const object of objects) {
      const name = findKind(object.group, object.kind)?.name;
      if (name === undefined) continue;
      const list = this.#byKind.get(name);
      if (list) list.push(object);
      else this.#byKind.set(name, [object]);
    }
  }

  all<K extends KindName>(kind: K): readonly ObjectOf<K>[] {
    return (this.#byKind.get(kind) ?? []) as unknown as readonly ObjectOf<K>[];
  }

  /** Every Service and every host of a ServiceEntry. */
  get services(): readonly MeshService[] {
    return (this.#services ??= [
      ...this.all('Service').map((object) => kubernetesService(object as ConfigObject, this.names.clusterDomain)),
      ...this.all('ServiceEntry').flatMap((object) => serviceEntryServices(object as unknown as ConfigObject)),
    ]);
  }

  /** The full name of a host that an object of `namespace` writes. */
  resolve(host: string, namespace: string): string {
    return resolveHost(host, namespace, this.names.clusterDomain);
  }

  /** Services of exactly this full host name, whoever may see them. */
  servicesNamed(host: string): readonly MeshService[] {
    return this.#hosts().get(host) ?? [];
  }

  /** Services that a full host name means and that `namespace` may see: of that name, else of the wildcards that cover it. */
  servicesOf(host: string, namespace: string): readonly MeshService[] {
    const visible = (service: MeshService) => exportedTo(service.exportTo, service.namespace, namespace);
    const exact = this.servicesNamed(host).filter(visible);
    if (exact.length > 0) return exact;
    return this.#wildcards.filter((service) => hostCovers(service.host, host) && visible(service));
  }

  /** "did you mean" for a host that no service has. */
  suggestHost(host: string, namespace: string): string | undefined {
    const { clusterDomain } = this.names;
    const short = host.split('.', 1)[0] ?? host;
    // name.namespace is a full name to Istio, and the wrong one.
    const partial = `${host}.svc.${clusterDomain}`;
    if (host.includes('.') && this.#hosts().has(partial)) return `did you mean \`${partial}\`?`;
    const elsewhere = this.services.find((service) => service.name === short && service.registry === 'kubernetes');
    if (elsewhere && !host.includes('.')) return `did you mean \`${elsewhere.host}\`?`;
    const own = this.services.filter((service) => service.namespace === namespace).map((service) => service.name);
    const ownName = host.includes('.') ? undefined : didYouMean(host, own);
    return ownName ?? didYouMean(host, this.#hosts().keys());
  }

  get workloads(): readonly DeclaredWorkload[] {
    return (this.#workloads ??= [
      ...this.all('Pod').map(({ metadata }) => metadata),
      ...this.all('WorkloadEntry').map(({ metadata, spec }) => ({
        ...metadata,
        labels: { ...metadata.labels, ...spec.labels },
      })),
      ...this.all('WorkloadGroup').map(({ metadata, spec }) => ({ ...metadata, labels: spec.metadata?.labels ?? {} })),
      ...this.#templates.map(({ metadata, spec }) => ({ ...metadata, labels: templateLabels(spec) })),
    ]);
  }

  /** Workloads of the namespace (of all, for undefined) that have the labels. */
  workloadsWith(labels: Labels, namespace: string | undefined): readonly DeclaredWorkload[] {
    const wanted = Object.entries(labels);
    const candidates = wanted.map(([name, value]) => this.#labelled().get(`${name}=${value}`) ?? []);
    const fewest = candidates.reduce((least, list) => (list.length < least.length ? list : least), this.workloads);
    return fewest.filter(
      (workload) =>
        (namespace === undefined || workload.namespace === namespace) &&
        wanted.every(([name, value]) => workload.labels[name] === value),
    );
  }

  #labelled(): ReadonlyMap<string, readonly DeclaredWorkload[]> {
    if (this.#byLabel) return this.#byLabel;
    const byLabel = new Map<string, DeclaredWorkload[]>();
    for (const workload of this.workloads) {
      for (const [name, value] of Object.entries(workload.labels)) append(byLabel, `${name}=${value}`, workload);
    }
    return (this.#byLabel = byLabel);
  }

  #hosts(): ReadonlyMap<string, readonly MeshService[]> {
    if (this.#byHost) return this.#byHost;
    const byHost = new Map<string, MeshService[]>();
    for (const service of this.services) append(byHost, service.host, service);
    this.#wildcards = this.services.filter((service) => isWildcard(service.host));
    return (this.#byHost = byHost);
  }
}

function templateLabels(spec: Readonly<Record<string, unknown>>): Labels {
  const template = spec['template'] as { metadata?: { labels?: Readonly<Record<string, string>> } | null } | null;
  return template?.metadata?.labels ?? {};
}

export const describeLabels = (labels: Labels): string =>
  Object.entries(labels)
    .map(([name, value]) => `${name}=${value}`)
    .join(',');

function append<T>(lists: Map<string, T[]>, key: string, entry: T): void {
  const list = lists.get(key);
  if (list) list.push(entry);
  else lists.set(key, [entry]);
}
