// Writes OpenTelemetry's active baggage as the W3C baggage header, with the inbound members that it does not name.
import type { Baggage } from '@opentelemetry/api';

/** Members of `active` first; a member of `inbound` stays unless `active` has its key. Undefined when both are empty. */
export function mergeBaggage(active: Baggage, inbound: string | undefined): string | undefined {
  const members: string[] = [];
  const keys = new Set<string>();
  for (const [key, entry] of active.getAllEntries()) {
    keys.add(key);
    const metadata = entry.metadata === undefined ? '' : ';' + entry.metadata.toString();
    members.push(encodeURIComponent(key) + '=' + encodeURIComponent(entry.value) + metadata);
  }
  for (const member of inbound?.split(',') ?? []) {
    const key = member.slice(0, member.indexOf('=')).trim();
    if (key !== '' && !keys.has(key)) members.push(member.trim());
  }
  return members.length === 0 ? undefined : members.join(',');
}
