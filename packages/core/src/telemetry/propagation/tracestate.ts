// The tracestate header (W3C Trace Context level 2 §3.3): passed on when every member is well-formed, dropped as a whole otherwise.
import { trimOws } from './traceparent.js';

const MAX_MEMBERS = 32;
const KEY = /^[a-z0-9][a-z0-9_\-*/@]{0,255}$/;
/** Printable ASCII without `,` and `=`, not ending in a space. */
const VALUE = /^[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;

/** The list as it goes on (members in order, the first of equal keys wins); undefined when absent, empty or malformed. */
export function parseTracestate(header: string | undefined): string | undefined {
  if (header === undefined) return undefined;
  const members = new Map<string, string>();
  for (const part of header.split(',')) {
    const member = trimOws(part);
    if (member === '') continue;
    const equals = member.indexOf('=');
    const key = member.slice(0, equals);
    if (equals < 0 || !KEY.test(key) || !VALUE.test(member.slice(equals + 1))) return undefined;
    if (!members.has(key)) members.set(key, member);
    if (members.size > MAX_MEMBERS) return undefined;
  }
  return members.size === 0 ? undefined : [...members.values()].join(',');
}
