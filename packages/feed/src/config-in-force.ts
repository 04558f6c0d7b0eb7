// The last good edition of the configuration, and what it means for each class of workloads. Work is done per (class, version),
// never per client; `generated` counts it.
import {
  type ConfigEdition,
  type ConfigObject,
  type EncodedMessages,
  type Finding,
  type MeshSettings,
  type MeshView,
  Reuse,
  buildMeshView,
  servedResources,
  translateForNode,
  workloadClassKey,
  workloadOf,
} from '@heddle/config';
import type { FeedNode, RawResource } from '@heddle/xds';
import { Generation } from './generation.js';

interface WorkloadClass {
  /** A workload of the class; all get the same. */
  readonly node: FeedNode;
  readonly reuse: Reuse;
  readonly encoded: EncodedMessages;
  generation: Generation;
  findings: readonly Finding[];
  /** Number of the edition in which a client last asked; pushes may lag one edition behind. */
  usedIn: number;
}

export interface RefusedEdition {
  readonly findings: readonly Finding[];
  readonly sinceWallMs: number;
}

export class ConfigInForce {
  readonly #settings: Partial<MeshSettings>;
  readonly #startedAt: string;
  readonly #wallMs: () => number;
  #classes = new Map<string, WorkloadClass>();
  #view: MeshView | undefined;
  #edition = 0;
  #objects: readonly ConfigObject[] = [];
  #findings: readonly Finding[] = [];
  #refused: RefusedEdition | undefined;
  #generated = 0;

  constructor(settings: Partial<MeshSettings>, wallMs: () => number) {
    this.#settings = settings;
    this.#wallMs = wallMs;
    this.#startedAt = `${new Date(wallMs()).toISOString().slice(0, 19)}Z`;
  }

  /** False until a first good edition; nothing can be served. */
  get loaded(): boolean {
    return this.#view !== undefined;
  }

  /** Empty until a first good edition. */
  get version(): string {
    return this.#edition === 0 ? '' : this.#versionOf(this.#edition);
  }

  /** Findings of the edition in force, of reading and of translation. */
  get findings(): readonly Finding[] {
    return [...this.#findings, ...new Set([...this.#classes.values()].flatMap(({ findings }) => findings))];
  }

  /** The newest edition when it was refused. */
  get refused(): RefusedEdition | undefined {
    return this.#refused;
  }

  /** Translations made since the start. */
  get generated(): number {
    return this.#generated;
  }

  /** Takes an edition. Throws when it can't be translated for a class in use; the former one then stays in force. */
  apply(edition: ConfigEdition): void {
    if (edition.kind === 'refused') {
      this.#refused = { findings: edition.findings, sinceWallMs: this.#wallMs() };
      return;
    }
    // A reading that changed nothing (a file touched, a bad edit taken back) is no new version.
    const unchanged = this.#view !== undefined && sameObjects(this.#objects, edition.objects);
    if (!unchanged) this.#takeObjects(edition.objects);
    this.#findings = edition.findings;
    this.#refused = undefined;
  }

  #takeObjects(objects: readonly ConfigObject[]): void {
    const view = buildMeshView(objects, this.#settings, this.#view);
    const number = this.#edition + 1;
    const classes = new Map<string, WorkloadClass>();
    for (const former of this.#classes.values()) {
      if (former.usedIn < this.#edition - 1) continue;
      const key = classKey(view, former.node);
      if (!classes.has(key)) classes.set(key, this.#translate(view, former.node, number, former));
    }
    this.#view = view;
    this.#edition = number;
    this.#classes = classes;
    this.#objects = objects;
  }

  /** What this node is sent now. Throws while nothing is loaded, or when translation fails. */
  generationFor(node: FeedNode): Generation {
    const view = this.#view;
    if (view === undefined) throw new Error('no configuration is loaded');
    const key = classKey(view, node);
    let known = this.#classes.get(key);
    if (known === undefined) this.#classes.set(key, (known = this.#translate(view, node, this.#edition)));
    known.usedIn = this.#edition;
    return known.generation;
  }

  #translate(view: MeshView, node: FeedNode, edition: number, former?: WorkloadClass): WorkloadClass {
    const reuse = former?.reuse ?? new Reuse();
    const encoded: EncodedMessages = former?.encoded ?? new WeakMap<object, RawResource>();
    const translated = translateForNode(view, node, reuse);
    const types = new Map<string, ReadonlyMap<string, RawResource>>();
    for (const [typeUrl, resources] of servedResources(translated, encoded)) {
      types.set(typeUrl, new Map([...resources].map(([name, { raw }]) => [name, raw])));
    }
    this.#generated += 1;
    const generation = new Generation(this.#versionOf(edition), types);
    return { node, reuse, encoded, generation, findings: translated.findings, usedIn: former?.usedIn ?? edition };
  }

  #versionOf(edition: number): string {
    return `${this.#startedAt}/${edition}`;
  }
}

function sameObjects(a: readonly ConfigObject[], b: readonly ConfigObject[]): boolean {
  return a.length === b.length && a.every((object, index) => object === b[index]);
}

function classKey(view: MeshView, node: FeedNode): string {
  return workloadClassKey(workloadOf(node, view.settings), view);
}
