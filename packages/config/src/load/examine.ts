// The verdict on one object: the faults of its schema, then what object-wide analyzers find. Objects from YAML and objects built in
// code pass here alike.
import { ConfigView } from '../analyze/config-view.js';
import { objectAnalyzers } from '../analyze/registry.js';
import { collectInto } from '../analyze/report.js';
import type { Finding } from '../model/finding.js';
import type { ReadObject } from './to-object.js';

export interface Verdict {
  readonly findings: readonly Finding[];
  /** No finding of level error. */
  readonly valid: boolean;
  /** All values have the types of the schema, so that analyzers can read it. */
  readonly wellTyped: boolean;
}

export function examine({ object, faults }: ReadObject): Verdict {
  const findings: Finding[] = [];
  const report = collectInto(findings);
  for (const { message, path, args, suggestion } of faults) report(message, { object, path }, args, suggestion);
  const wellTyped = !faults.some(({ breaksType }) => breaksType);
  if (wellTyped) {
    const view = new ConfigView([object]);
    for (const analyzer of objectAnalyzers) analyzer.analyze(view, report);
  }
  return { findings, valid: !findings.some(({ level }) => level === 'error'), wellTyped };
}
