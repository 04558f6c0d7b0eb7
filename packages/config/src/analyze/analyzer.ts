// The form of an analyzer: what it is called, which kinds it reads, and one function over the whole configuration.
import type { KindName } from '../schema/spec-types.js';
import type { ConfigView } from './config-view.js';
import type { Report } from './report.js';

export interface Analyzer {
  readonly name: string;
  readonly description: string;
  /** Every kind whose objects it looks at; a test compares this with what it really reads. */
  readonly inputs: readonly KindName[];
  /** `object`: looks at one object alone, so that it also holds for an object built in code. `mesh`: at how objects fit together. */
  readonly scope: 'object' | 'mesh';
  analyze(view: ConfigView, report: Report): void;
}
