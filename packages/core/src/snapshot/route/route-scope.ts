// What the routes of a virtual host inherit from it and from their table.
import type { RouteConfiguration, VirtualHost } from '@heddle/xds';
import type { FilterStateStore } from '../../filters/http-filter.js';
import type { HeaderLevel } from '../format/header-operations.js';
import type { HttpFilterChain } from '../listener/http-filter-chain.js';
import type { RouteScope } from './route-entry.js';

/** What the routes of a table run with: the filters of its listener, and where these keep what they remember. */
export interface TableFilters {
  readonly chain: HttpFilterChain;
  readonly state: FilterStateStore;
}

/** Envoy's default limit of direct response bodies. */
const MAX_DIRECT_BODY_BYTES = 4096;

/** `path` is where the virtual host stands, `virtual_hosts[3]`. */
export function hostScope(
  host: VirtualHost,
  path: string,
  frame: RouteConfiguration,
  filters: TableFilters | undefined,
): RouteScope {
  const headers = {
    request: [levelOf(host, 'request', `${path}.`), levelOf(frame, 'request', '')],
    response: [levelOf(host, 'response', `${path}.`), levelOf(frame, 'response', '')],
  };
  const overrides = [
    { overrides: host.typedPerFilterConfig, scope: `${frame.name}/${host.name}` },
    { overrides: frame.typedPerFilterConfig, scope: frame.name },
  ];
  return {
    tableName: frame.name,
    virtualHostName: host.name,
    headerLevels: (direction) => headers[direction],
    mostSpecificHeadersWin: frame.mostSpecificHeaderMutationsWins,
    retryPolicy: host.retryPolicy,
    mirrors: host.requestMirrorPolicies.length > 0 ? host.requestMirrorPolicies : frame.requestMirrorPolicies,
    maxDirectBodyBytes: frame.maxDirectResponseBodySizeBytes ?? MAX_DIRECT_BODY_BYTES,
    includeAttemptCount: host.includeRequestAttemptCount,
    includeAttemptCountInResponse: host.includeAttemptCountInResponse,
    filtersFor: (levels, at, report) =>
      filters === undefined ? [] : filters.chain.withOverrides([...levels, ...overrides], filters.state, at, report),
  };
}

function levelOf(
  message: Pick<
    VirtualHost,
    'requestHeadersToAdd' | 'requestHeadersToRemove' | 'responseHeadersToAdd' | 'responseHeadersToRemove'
  >,
  direction: 'request' | 'response',
  prefix: string,
): HeaderLevel {
  return direction === 'request'
    ? { add: message.requestHeadersToAdd, remove: message.requestHeadersToRemove, path: `${prefix}request_headers` }
    : { add: message.responseHeadersToAdd, remove: message.responseHeadersToRemove, path: `${prefix}response_headers` };
}
