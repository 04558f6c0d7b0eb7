// Findings as text: one line each in the form that editors jump to, `file:line:column: level code message`.
import type { Finding, FindingLevel } from '@heddle/config';

export function findingLines(findings: readonly Finding[]): string[] {
  return findings.map(findingLine);
}

/** `mesh/reviews.yaml:12:7: error HED0101 unknown field ... (did you mean `route`?)`. */
function findingLine(finding: Finding): string {
  const { file, position, level, code, message, object, suggestion } = finding;
  const place = [file ?? '-', position?.line, position?.column].filter((part) => part !== undefined).join(':');
  const subject = object === undefined ? '' : ` ${object}:`;
  const mend = suggestion === undefined ? '' : ` (${suggestion})`;
  return `${place}: ${level} ${code}${subject} ${message}${mend}`;
}

/** `2 errors, 1 warning, 3 notes in 12 files`. */
export function summaryLine(findings: readonly Finding[], files: number): string {
  const count = (level: FindingLevel) => findings.filter((finding) => finding.level === level).length;
  const parts = [plural(count('error'), 'error'), plural(count('warning'), 'warning'), plural(count('info'), 'note')];
  return `${parts.join(', ')} in ${plural(files, 'file')}`;
}

function plural(count: number, noun: string): string {
  return `${String(count)} ${noun}${count === 1 ? '' : 's'}`;
}
