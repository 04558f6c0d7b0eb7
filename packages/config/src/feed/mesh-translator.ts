// Configuration objects -> the served resources of one workload, remembering what the last translation made.
import type { FeedNode } from '@heddle/xds';
import type { ConfigObject } from '../model/config-object.js';
import type { Finding } from '../model/finding.js';
import { Reuse } from '../translate/reuse.js';
import { translate } from '../translate/translate.js';
import type { TranslatedResources } from '../translate/translated.js';
import { DEFAULT_MESH_SETTINGS, type MeshSettings } from '../view/mesh-settings.js';
import { type MeshView, buildMeshView } from '../view/mesh-view.js';
import { workloadOf } from './node-workload.js';
import { type EncodedMessages, type ServedResources, servedResources } from './raw-resources.js';

/** What a node would be sent. `reuse` of the former translation for the same workload class saves unchanged parts. */
export function translateForNode(view: MeshView, node: FeedNode, reuse?: Reuse): TranslatedResources {
  return translate(view, workloadOf(node, view.settings), reuse);
}

export class MeshTranslator {
  readonly #node: FeedNode;
  readonly #settings: MeshSettings;
  readonly #reuse = new Reuse();
  readonly #encoded: EncodedMessages = new WeakMap();
  #view: MeshView | undefined;

  constructor(node: FeedNode, settings: Partial<MeshSettings> = {}) {
    this.#node = node;
    this.#settings = { ...DEFAULT_MESH_SETTINGS, ...settings };
  }

  /** Throws only where an object is not what its schema promises; the former resources then stay what they were. */
  translate(objects: readonly ConfigObject[]): {
    readonly resources: ServedResources;
    readonly findings: readonly Finding[];
  } {
    const view = buildMeshView(objects, this.#settings, this.#view);
    const translated = translateForNode(view, this.#node, this.#reuse);
    this.#view = view;
    return { resources: servedResources(translated, this.#encoded), findings: translated.findings };
  }
}
