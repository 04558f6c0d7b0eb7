// The shape of an explanation: every decision of a call in order, each with its reason and its source.
import type { ConfigOrigin } from '@heddle/xds';

export type ExplainStage =
  'listener' | 'virtual-host' | 'route' | 'filter' | 'cluster' | 'endpoint' | 'policy' | 'identity' | 'outcome';

export interface ExplainStep {
  readonly stage: ExplainStage;
  /** What was looked at: a listener, route, cluster, endpoint or policy name. */
  readonly subject: string;
  /** `chosen`, `rejected` (looked at and not taken), `info`. */
  readonly verdict: 'chosen' | 'rejected' | 'info';
  /** One sentence: which field, what was expected, what came. */
  readonly reason: string;
  /** The object and line that it came from, where known. */
  readonly origin?: ConfigOrigin | undefined;
  /** Machine-readable facts (weights, timeouts, states). */
  readonly facts?: Readonly<Record<string, string | number | boolean | null>> | undefined;
}
