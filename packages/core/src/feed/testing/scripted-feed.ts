// A feed that a test speaks for, with resources whose bytes are their references: `test resources` need no Envoy type.
import {
  type Feed,
  type FeedConnection,
  type FeedSink,
  type RawResource,
  type ResourceTypeUrl,
  type WantedNames,
} from '@heddle/xds';
import type { ResourceInspector, ResourceReference } from '../resource-view.js';

interface Content {
  readonly references: readonly ResourceReference[];
  readonly fault?: string | undefined;
}

/** A resource of any type that needs `references`; refused by `contentInspector` when it has a `fault`. */
export function contentResource(
  typeUrl: ResourceTypeUrl,
  name: string,
  version: string,
  references: readonly ResourceReference[] = [],
  fault?: string,
): RawResource {
  const content: Content = { references, fault };
  return { typeUrl, name, version, bytes: Buffer.from(JSON.stringify(content)) };
}

export const contentInspector: ResourceInspector = {
  refusal: (resource) => contentOf(resource).fault,
  references: (resource) => contentOf(resource).references,
};

function contentOf(resource: RawResource): Content {
  return JSON.parse(Buffer.from(resource.bytes).toString()) as Content;
}

export class ScriptedFeed implements Feed {
  readonly name = 'scripted';
  readonly wanted = new Map<ResourceTypeUrl, WantedNames>();
  closed = false;
  #sink: FeedSink | undefined;

  open(_node: unknown, sink: FeedSink): FeedConnection {
    this.#sink = sink;
    return {
      subscribe: (typeUrl, names) => this.wanted.set(typeUrl, names),
      originOf: () => undefined,
      close: () => (this.closed = true),
    };
  }

  /** The mesh's side. */
  get sink(): FeedSink {
    if (this.#sink === undefined) throw new Error('the feed was not opened');
    return this.#sink;
  }

  /** Delivers changes of one type. */
  send(typeUrl: ResourceTypeUrl, resources: readonly RawResource[], removed: readonly string[] = [], version = '1') {
    return this.sink.onUpdate({ typeUrl, kind: 'delta', version, resources, removed });
  }
}
