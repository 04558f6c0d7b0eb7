// What translation gives: xDS resources with the place where each was written.
import type { Cluster, ClusterLoadAssignment, ConfigOrigin, Listener, RouteConfiguration } from '@heddle/xds';
import type { ConfigObject, FieldPath } from '../model/config-object.js';
import { describeObject } from '../model/config-object.js';
import type { Finding } from '../model/finding.js';

export interface Translated<Resource> {
  readonly name: string;
  readonly message: Resource;
  readonly origin: ConfigOrigin | undefined;
  readonly details: OriginDetails;
}

/**
 * Origins of parts of a resource. In a listener: `HOST:PORT` of a service that it takes calls for, or a policy's name. In a route
 * configuration: a virtual host's name, `VIRTUAL_HOST/INDEX` of a route, or a route's name. In endpoints, and in clusters that
 * hold their own: `ADDRESS:PORT`.
 */
export interface OriginDetails {
  get(detail: string): ConfigOrigin | undefined;
}

export interface TranslatedResources {
  readonly listeners: readonly Translated<Listener>[];
  readonly routes: readonly Translated<RouteConfiguration>[];
  readonly clusters: readonly Translated<Cluster>[];
  readonly endpoints: readonly Translated<ClusterLoadAssignment>[];
  /** What the objects ask for and translation does not do. Nothing is left out silently. */
  readonly findings: readonly Finding[];
}

export const NO_DETAILS: OriginDetails = new Map<string, ConfigOrigin>();

/** Where an object, or one of its fields, was written. */
export function originAt(object: ConfigObject, path: FieldPath = []): ConfigOrigin {
  const { file } = object.source;
  const position =
    path.length === 0 ? object.source.position : (object.source.positionOf(path) ?? object.source.position);
  return { object: describeObject(object), file, line: position?.line, column: position?.column };
}
