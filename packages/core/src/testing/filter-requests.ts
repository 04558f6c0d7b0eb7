// Requests for tests of filters: an ordinary inbound GET, changed where a test cares.
import type { FilterContext, FilterRequest } from '../filters/http-filter.js';

export type FilterRequestChanges = Partial<Omit<FilterRequest, 'header'>> & {
  readonly headers?: Readonly<Record<string, string>>;
};

export function filterRequest({ headers = {}, ...changes }: FilterRequestChanges = {}): FilterRequest {
  const path = changes.path ?? '/';
  const method = changes.method ?? 'GET';
  const authority = changes.authority ?? 'details:9080';
  const pseudo: Record<string, string> = {
    ':path': path,
    ':method': method,
    ':authority': authority,
    ':scheme': 'http',
  };
  return {
    direction: 'inbound',
    method,
    path,
    authority,
    scheme: 'http',
    normalizedPath: path,
    peerPrincipal: undefined,
    sourceIp: '10.0.0.7',
    sourcePort: 40_000,
    remoteIp: '10.0.0.7',
    destinationIp: '10.0.0.8',
    destinationPort: 9080,
    serverName: '',
    dynamicMetadata: undefined,
    ...changes,
    header: (name) => headers[name] ?? pseudo[name],
  };
}

/** Draws answer 0.5 unless given, so a share of 50 % is just missed and one above is hit. */
export function filterContext(changes: Partial<FilterContext> = {}): FilterContext {
  return { draw: () => 0.5, nowMs: 0, wallMs: 0, ...changes };
}
