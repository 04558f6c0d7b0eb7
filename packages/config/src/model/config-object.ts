// One configuration object (Istio, Gateway API or Kubernetes), whatever its source: YAML with positions or a typed literal.

/** 1-based place in a file. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** Path of a field inside an object, e.g. `['spec', 'http', 0, 'route', 1, 'weight']`. */
export type FieldPath = readonly (string | number)[];

/** Where an object came from. Objects built in code have no file; their positions are undefined. */
export interface ObjectSource {
  /** Path as the user gave it. */
  readonly file?: string | undefined;
  /** Position of the object's first line. */
  readonly position?: Position | undefined;
  /** Position of a field (of its key where there is one); falls back to the nearest parent that exists. */
  positionOf(path: FieldPath): Position | undefined;
}

export interface ObjectMetadata {
  readonly name: string;
  /** Defaulted: `default` for namespaced kinds, empty for cluster-scoped ones. */
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** RFC 3339 or undefined. Older wins where Istio says so; objects without it count in reading order. */
  readonly creationTimestamp?: string | undefined;
}

/**
 * A parsed object. `spec` holds the plain data as written (camelCase as in the CRD), validated against the kind's schema, without
 * defaults filled in. Kinds without a spec (EndpointSlice) keep their top-level fields in `spec`; a Pod's status is in `status`.
 */
export interface ConfigObject<Spec = Readonly<Record<string, unknown>>> {
  /** Group without version, empty for core Kubernetes: `networking.istio.io`, `gateway.networking.k8s.io`, `discovery.k8s.io`. */
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly metadata: ObjectMetadata;
  readonly spec: Spec;
  readonly status?: Readonly<Record<string, unknown>> | undefined;
  readonly source: ObjectSource;
  /** Reading order over all files: earlier wins where Istio orders by age and there is no creationTimestamp. */
  readonly order: number;
}

/** `VirtualService default/reviews`, for messages and origins. */
export function describeObject(object: ConfigObject<unknown>): string {
  const { name, namespace } = object.metadata;
  return `${object.kind} ${namespace === '' ? name : `${namespace}/${name}`}`;
}
