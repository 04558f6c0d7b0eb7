// Replies that the route itself gives (Envoy: DirectResponseAction).
import type { DataSource, DirectResponseAction as DirectMessage } from '@heddle/xds';
import type { CompileReport } from '../compile-report.js';
import type { DirectResponseAction } from '../route-snapshot.js';

/** Compiles a direct response; a body longer than `maxBodyBytes` (Envoy's default 4096) is a fault. */
export function compileDirectResponse(
  message: DirectMessage,
  maxBodyBytes: number,
  path: string,
  report: CompileReport,
): DirectResponseAction {
  if (message.status < 200 || message.status > 599) report.fault(`${path}.status`, 'must be between 200 and 599');
  if (message.bodyFormat !== undefined) report.ignored(`${path}.body_format`, 'the body is sent as it is');
  const body = bodyText(message.body, `${path}.body`, report);
  const size = Buffer.byteLength(body);
  if (size > maxBodyBytes) report.fault(`${path}.body`, `is ${size} bytes; maximum is ${maxBodyBytes}`);
  return { kind: 'direct-response', status: message.status, body };
}

function bodyText(body: DataSource | undefined, path: string, report: CompileReport): string {
  const specifier = body?.specifier;
  switch (specifier?.case) {
    case 'inlineString':
      return specifier.value;
    case 'inlineBytes':
      return Buffer.from(specifier.value).toString('utf8');
    case 'filename':
    case 'environmentVariable':
      report.ignored(
        path,
        `the body is not read from a ${specifier.case === 'filename' ? 'file' : 'variable'}: it is empty`,
      );
      return '';
    case undefined:
      return '';
  }
}
