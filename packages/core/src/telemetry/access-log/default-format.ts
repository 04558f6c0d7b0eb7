// Envoy's default access-log line (Envoy: access log, "Default Format String"; Istio's variant with failure reason, cluster and SNI).
import type { CallLogFields, CallRecord } from '../call-record.js';

const NO_FIELDS: CallLogFields = {};

/** One line, without its line end. `startWallMs`: wall-clock start in ms since 1970. Absent values are `-`. */
export function formatAccessLog(call: CallRecord, startWallMs: number): string {
  const fields = call.logFields ?? NO_FIELDS;
  return [
    `[${new Date(startWallMs).toISOString()}]`,
    `"${or(call.method)} ${or(call.path)} ${or(fields.httpVersion)}"`,
    String(call.status),
    or(call.flags),
    or(call.details),
    or(fields.terminationDetails),
    `"${or(fields.transportFailure)}"`,
    String(call.requestBytes),
    String(call.responseBytes),
    String(Math.max(0, Math.floor(call.endMs - call.startMs))),
    or(fields.upstreamServiceTime),
    `"${or(fields.forwardedFor)}"`,
    `"${or(fields.userAgent)}"`,
    `"${or(call.requestId)}"`,
    `"${or(call.authority)}"`,
    `"${or(call.upstreamAddress)}"`,
    or(call.cluster),
    or(fields.upstreamLocalAddress),
    or(fields.downstreamLocalAddress),
    or(fields.downstreamRemoteAddress),
    or(fields.requestedServerName),
    or(call.routeName),
  ].join(' ');
}

function or(text: string | undefined): string {
  return text === undefined || text === '' ? '-' : oneLine(text);
}

/** Control characters and quotes are escaped, so that a peer can't forge a line or a field. */
function oneLine(text: string): string {
  return /[\x00-\x1f\x7f"]/.test(text) ? text.replace(/[\x00-\x1f\x7f"]/g, escapeCharacter) : text;
}

function escapeCharacter(character: string): string {
  return '\\x' + character.charCodeAt(0).toString(16).padStart(2, '0');
}
