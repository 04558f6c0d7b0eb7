// What compiling a resource has to say: every fault (the resource is refused) and every set field that is not honoured (it is reported).
import type { UnsupportedField } from './snapshot.js';

/** Collects the faults and unsupported fields of one resource; compiling goes on after a fault, so that all are found at once. */
export class CompileReport {
  readonly faults: string[] = [];
  readonly unsupported: UnsupportedField[] = [];
  #undeclared: readonly UnsupportedField[] | undefined;

  /** `resource` is kind and name, `Cluster outbound|9080||reviews.default.svc.cluster.local`. */
  constructor(readonly resource: string) {}

  /** A field that makes the resource unusable; `path` as in `virtual_hosts[0].routes[2].match`. */
  fault(path: string, reason: string): void {
    this.faults.push(path === '' ? reason : `${path}: ${reason}`);
  }

  /** A set field that has no effect here. */
  ignored(path: string, consequence: string): void {
    const jsonPath = path.startsWith('$') ? path : `$.${path}`;
    this.unsupported.push({ resource: this.resource, path: jsonPath, consequence });
  }

  /** What the walk over the resource's fields finds, made once. */
  undeclared(walk: () => readonly UnsupportedField[]): readonly UnsupportedField[] {
    return (this.#undeclared ??= walk());
  }

  /** Runs a compile step; whatever it throws becomes a fault at `path`, and the result is undefined. */
  attempt<Result>(path: string, compile: () => Result): Result | undefined {
    try {
      return compile();
    } catch (cause) {
      this.fault(path, cause instanceof Error ? cause.message : String(cause));
      return undefined;
    }
  }

  /** The NACK text: resource, then every fault; undefined when there is none. */
  get refusal(): string | undefined {
    return this.faults.length === 0 ? undefined : `${this.resource}: ${this.faults.join('; ')}`;
  }
}
