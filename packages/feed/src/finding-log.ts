// Findings of an edition in the log: one line each, in the form that editors and terminals jump to. Notes are in the status only.
import type { Finding } from '@heddle/config';

export interface FindingLog {
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** Each finding once, though several workloads may have it. */
export function logFindings(log: FindingLog, findings: readonly Finding[]): void {
  const lines = new Map<string, Finding>();
  for (const finding of findings) lines.set(findingLine(finding), finding);
  for (const [line, { level, code }] of lines) {
    if (level === 'error') log.error({ code }, line);
    else if (level === 'warning') log.warn({ code }, line);
  }
}

/** `mesh/reviews.yaml:12:7: VirtualService default/reviews: spec.http[0].timout: VirtualService has no such field (did you mean …)`. */
function findingLine({ file, position, object, message, suggestion }: Finding): string {
  const place = [file, position?.line, position?.column].filter((part) => part !== undefined).join(':');
  const parts = [place, object, message].filter((part) => part !== undefined && part !== '');
  return parts.join(': ') + (suggestion === undefined ? '' : ` (${suggestion})`);
}
