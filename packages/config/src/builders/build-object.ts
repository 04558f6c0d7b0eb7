// Typed literal -> validated ConfigObject, by the same schemas and object-wide analyzers that YAML goes through.
import type { ConfigObject } from '../model/config-object.js';
import { describeObject } from '../model/config-object.js';
import type { Finding } from '../model/finding.js';
import { examine } from '../load/examine.js';
import { toObject } from '../load/to-object.js';
import { apiVersionOf } from '../load/unknown-kinds.js';
import { kindByName } from '../schema/kinds.js';
import type { KindName } from '../schema/spec-types.js';

/** Who the object is. The namespace is `default` unless given; cluster-scoped kinds have none. */
export interface ObjectName {
  readonly name: string;
  readonly namespace?: string | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
  /** RFC 3339; the older object wins where Istio says so. */
  readonly creationTimestamp?: string | undefined;
}

/** An object as its YAML would have it, without apiVersion and kind. */
export interface ObjectInput<Spec> {
  readonly metadata: ObjectName;
  readonly spec: Spec;
}

/** An object that breaks its schema, or contradicts itself. `findings` has every fault. */
export class InvalidObjectError extends Error {
  override readonly name = 'InvalidObjectError';

  constructor(
    readonly object: string,
    readonly findings: readonly Finding[],
  ) {
    super(`${object} is not valid:\n${findings.map((finding) => `  ${describe(finding)}`).join('\n')}`);
  }
}

interface Input {
  readonly metadata: ObjectName;
  readonly spec?: unknown;
  readonly status?: unknown;
}

/** @throws InvalidObjectError with every fault of level error */
export function buildObject(kind: KindName, input: Input): ConfigObject {
  const info = kindByName(kind);
  const version = info.versions[0] ?? '';
  const spec = withoutUndefined(input.spec ?? {});
  const data = info.layout === 'spec' ? { spec } : (spec as Readonly<Record<string, unknown>>);
  const root = {
    apiVersion: apiVersionOf(info.group, version),
    kind: info.kind,
    metadata: withoutUndefined(input.metadata) as Readonly<Record<string, unknown>>,
    ...data,
    ...(input.status !== undefined && { status: withoutUndefined(input.status) }),
  };
  const read = toObject(root, info, 'default', { positionOf: () => undefined }, 0);
  const errors = examine(read).findings.filter((finding) => finding.level === 'error');
  if (errors.length > 0) throw new InvalidObjectError(describeObject(read.object), errors);
  return read.object;
}

function describe({ code, message, suggestion }: Finding): string {
  return `${code} ${message}${suggestion === undefined ? '' : ` (${suggestion})`}`;
}

// `timeout: slow ? '10s' : undefined` means no timeout field; the copy also keeps the object apart from later changes of the literal.
function withoutUndefined(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutUndefined);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([, child]) => child !== undefined);
  return Object.fromEntries(entries.map(([key, child]) => [key, withoutUndefined(child)]));
}
