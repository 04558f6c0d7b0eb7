// What the checker says about configuration: one finding per fault, with a code from the table in analyze/messages.ts.
import type { Position } from './config-object.js';

export type FindingLevel = 'error' | 'warning' | 'info';

export interface Finding {
  /** Heddle's own code, `HED0101`; never reused. */
  readonly code: string;
  /** Short name of the code, `unknown-field`. */
  readonly name: string;
  readonly level: FindingLevel;
  readonly message: string;
  /** `VirtualService default/reviews`; undefined when the file could not be read as objects. */
  readonly object?: string | undefined;
  readonly file?: string | undefined;
  readonly position?: Position | undefined;
  /** Field path as text, `spec.http[0].route[1].weight`. */
  readonly field?: string | undefined;
  /** "did you mean" text or another concrete mend. */
  readonly suggestion?: string | undefined;
  /** Istio's code for the same fault where there is one (`IST0101`). */
  readonly istioCode?: string | undefined;
}
