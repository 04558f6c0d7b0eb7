// Header operations of VirtualServices: `set` overwrites, `add` appends, Host and :authority become a host rewrite.
import {
  type HeaderValueOption,
  HeaderValueOptionSchema,
  HeaderValueOption_HeaderAppendAction as AppendAction,
  create,
} from '@heddle/xds';
import type { HeadersSpec } from '../../view/spec/istio.js';

export interface HeaderOperations {
  readonly requestHeadersToAdd: HeaderValueOption[];
  readonly requestHeadersToRemove: string[];
  readonly responseHeadersToAdd: HeaderValueOption[];
  readonly responseHeadersToRemove: string[];
  /** The host to send instead; undefined when none is set. */
  readonly authority: string | undefined;
}

export function headerOperations(headers: HeadersSpec | undefined): HeaderOperations {
  const { request, response } = headers ?? {};
  return {
    requestHeadersToAdd: [...options(request?.set, false), ...options(request?.add, true)],
    requestHeadersToRemove: (request?.remove ?? []).filter((name) => !isReserved(name)),
    responseHeadersToAdd: [...options(response?.set, false), ...options(response?.add, true)],
    responseHeadersToRemove: (response?.remove ?? []).filter((name) => !isReserved(name)),
    authority: authorityOf(request?.set) ?? authorityOf(request?.add),
  };
}

function options(headers: Readonly<Record<string, string>> | undefined, append: boolean): HeaderValueOption[] {
  const appendAction = append ? AppendAction.APPEND_IF_EXISTS_OR_ADD : AppendAction.OVERWRITE_IF_EXISTS_OR_ADD;
  return Object.entries(headers ?? {})
    .filter(([key]) => !isReserved(key))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => create(HeaderValueOptionSchema, { header: { key, value }, appendAction }));
}

function authorityOf(headers: Readonly<Record<string, string>> | undefined): string | undefined {
  return Object.entries(headers ?? {}).find(([key]) => /^(:authority|host)$/i.test(key))?.[1];
}

/** Names that Envoy does not let header operations change. */
function isReserved(name: string): boolean {
  return name.startsWith(':') || name.toLowerCase() === 'host';
}
