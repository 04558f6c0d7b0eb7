// Finds the workload that a person means by `reviews/v1`: a pod, a workload entry, an endpoint of a service entry, or just a service.
import type { ConfigObject } from '@heddle/config';

export interface NamedWorkload {
  readonly name: string;
  readonly service: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly serviceAccount: string;
  readonly address: string | undefined;
}

type Fields = Readonly<Record<string, unknown>>;

/** `SERVICE[/VERSION][.NAMESPACE]`. A string says why nobody is found. */
export function findWorkload(text: string, objects: readonly ConfigObject[]): NamedWorkload | string {
  const match = /^([^/.]+)(?:\/([^/.]+))?(?:\.([^/]+))?$/.exec(text);
  const [, service, version, namespace] = match ?? [];
  if (service === undefined) return `--as: expected SERVICE[/VERSION][.NAMESPACE], got "${text}"`;
  const candidates = workloadsOf(objects).filter(
    (workload) =>
      workload.labels['app'] === service &&
      (version === undefined || workload.labels['version'] === version) &&
      (namespace === undefined || workload.namespace === namespace),
  );
  if (candidates[0] !== undefined) return candidates[0];
  return fromService(service, version, namespace, objects) ?? unknown(text, objects);
}

/** The workload that has this address. */
export function workloadAt(address: string, objects: readonly ConfigObject[]): NamedWorkload | undefined {
  return workloadsOf(objects).find((workload) => workload.address === address);
}

function workloadsOf(objects: readonly ConfigObject[]): NamedWorkload[] {
  return objects.flatMap((object) => {
    if (object.kind === 'Pod') return [podWorkload(object)];
    if (object.kind === 'WorkloadEntry') return [entryWorkload(object, object.spec)];
    if (object.kind !== 'ServiceEntry') return [];
    const endpoints = (object.spec['endpoints'] ?? []) as readonly Fields[];
    return endpoints.map((endpoint) => entryWorkload(object, endpoint));
  });
}

function podWorkload({ metadata, spec, status }: ConfigObject): NamedWorkload {
  const { name, namespace, labels } = metadata;
  const service = labels['app'] ?? name;
  const address = status?.['podIP'] as string | undefined;
  return { name, service, namespace, labels, serviceAccount: text(spec['serviceAccountName']) ?? 'default', address };
}

function entryWorkload({ metadata }: ConfigObject, entry: Fields): NamedWorkload {
  const labels = (entry['labels'] ?? {}) as Readonly<Record<string, string>>;
  const service = labels['app'] ?? metadata.name;
  const serviceAccount = text(entry['serviceAccount']) ?? 'default';
  return {
    name: metadata.name,
    service,
    namespace: metadata.namespace,
    labels,
    serviceAccount,
    address: text(entry['address']),
  };
}

/** A service without known instances: its labels are what a new instance would carry. */
function fromService(
  service: string,
  version: string | undefined,
  namespace: string | undefined,
  objects: readonly ConfigObject[],
): NamedWorkload | undefined {
  const found = objects.find(
    ({ kind, metadata }) =>
      kind === 'Service' && metadata.name === service && (namespace ?? metadata.namespace) === metadata.namespace,
  );
  if (found === undefined) return undefined;
  const labels = { app: service, ...(version === undefined ? {} : { version }) };
  return {
    name: service,
    service,
    namespace: found.metadata.namespace,
    labels,
    serviceAccount: service,
    address: undefined,
  };
}

function unknown(asked: string, objects: readonly ConfigObject[]): string {
  const known = new Set(
    workloadsOf(objects).map(({ service, labels }) =>
      labels['version'] === undefined ? service : `${service}/${labels['version']}`,
    ),
  );
  for (const { kind, metadata } of objects) if (kind === 'Service') known.add(metadata.name);
  const list = known.size === 0 ? 'the configuration has no workloads' : `known: ${[...known].sort().join(', ')}`;
  return `--as: nobody is called "${asked}"; ${list}`;
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
