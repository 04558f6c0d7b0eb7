// The one check on texts that become header values: no NUL, CR or LF (Envoy: HTTP_HEADER_VALUE), so that configuration can't split a message.
import type { CompileReport } from '../compile-report.js';

export function checkHeaderValue(value: string, path: string, report: CompileReport): void {
  if (/[\0\r\n]/.test(value)) report.fault(path, 'must not hold NUL, CR or LF');
}
