// What the subscriptions hand to the snapshot: a consistent set of accepted raw resources.
import type { RawResource, ResourceTypeUrl } from '@heddle/xds';

/** Accepted resources by name. Maps are never changed after they were handed over. */
export interface ResourceView {
  /** Grows by one with every view. */
  readonly generation: number;
  readonly listeners: ReadonlyMap<string, RawResource>;
  readonly routes: ReadonlyMap<string, RawResource>;
  readonly clusters: ReadonlyMap<string, RawResource>;
  /** ClusterLoadAssignments by EDS service name. */
  readonly endpoints: ReadonlyMap<string, RawResource>;
  readonly secrets: ReadonlyMap<string, RawResource>;
}

export interface ResourceReference {
  readonly typeUrl: ResourceTypeUrl;
  readonly name: string;
}

/** What the subscriptions need to know about a resource without knowing its type. The snapshot room implements it. */
export interface ResourceInspector {
  /**
   * Does the work behind `refusal` and `references` in steps of well under a millisecond each; when it is done, both answer at once. Left out: the work is
   * small enough to be done in one step.
   */
  inspect?(resource: RawResource): Generator<void, void, void>;
  /** Undefined when the resource is good; else why it is refused, naming resource and field. Collects all faults of the resource. */
  refusal(resource: RawResource): string | undefined;
  /**
   * Resources that this one needs: a listener its RouteConfigurations and Secrets, a cluster its ClusterLoadAssignment and Secrets (these are
   * subscribed to by name), a RouteConfiguration its clusters (used for warming only: clusters are subscribed to as a whole).
   */
  references(resource: RawResource): readonly ResourceReference[];
}
