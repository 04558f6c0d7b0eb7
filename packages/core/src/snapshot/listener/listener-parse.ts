// Takes listeners apart: their connection managers and TCP proxies, and where a listener's routes come from.
import {
  type Filter,
  type FilterChain,
  HTTP_CONNECTION_MANAGER_TYPE_URL,
  type HttpConnectionManager,
  HttpConnectionManagerSchema,
  type Listener,
  TCP_PROXY_TYPE_URL,
  type TcpProxy,
  TcpProxySchema,
  TrafficDirection,
  VIRTUAL_INBOUND_LISTENER,
  effectiveTypeUrl,
  unpackAny,
} from '@heddle/xds';
import type { CompileReport } from '../compile-report.js';

/** Names of the inbound listeners of gRPC servers (Istio's GENERATOR=grpc): prefix, then `IP:PORT`. */
const GRPC_INBOUND_PREFIX = 'xds.istio.io/grpc/lds/inbound/';

/** Told by the name alone, so that no listener is decoded to find out. */
export function isInboundName(name: string): boolean {
  return name === VIRTUAL_INBOUND_LISTENER || name.startsWith(GRPC_INBOUND_PREFIX);
}

/** Port that an on-demand inbound listener stands for; undefined for `virtualInbound`, whose chains name their ports. */
export function inboundPortOf(name: string): number | undefined {
  if (!name.startsWith(GRPC_INBOUND_PREFIX)) return undefined;
  const port = Number(name.slice(name.lastIndexOf(':') + 1));
  return Number.isInteger(port) && port > 0 ? port : undefined;
}

/** True for a listener that serves what others call, by name or by its own word. */
export function isInbound(listener: Listener): boolean {
  return isInboundName(listener.name) || listener.trafficDirection === TrafficDirection.INBOUND;
}

/** Type URL of a network filter's configuration; empty when it comes from elsewhere. */
export function filterTypeUrl(filter: Filter): string {
  return filter.configType.case === 'typedConfig' ? effectiveTypeUrl(filter.configType.value) : '';
}

/** What ends a filter chain. */
export type TerminalFilter =
  | { readonly kind: 'http'; readonly manager: HttpConnectionManager; readonly path: string }
  | { readonly kind: 'tcp'; readonly proxy: TcpProxy; readonly path: string };

/** The connection manager or TCP proxy of a chain; undefined where there is none that can be read (then a fault says so). */
export function terminalOf(chain: FilterChain, path: string, report: CompileReport): TerminalFilter | undefined {
  for (const [index, filter] of chain.filters.entries()) {
    const at = `${path}.filters[${index}]`;
    const any = filter.configType.case === 'typedConfig' ? filter.configType.value : undefined;
    const typeUrl = filterTypeUrl(filter);
    if (typeUrl === HTTP_CONNECTION_MANAGER_TYPE_URL) {
      const manager = report.attempt(at, () => unpackAny(HttpConnectionManagerSchema, any));
      return manager === undefined ? undefined : { kind: 'http', manager, path: at };
    }
    if (typeUrl === TCP_PROXY_TYPE_URL) {
      const proxy = report.attempt(at, () => unpackAny(TcpProxySchema, any));
      return proxy === undefined ? undefined : { kind: 'tcp', proxy, path: at };
    }
  }
  return undefined;
}

/** The connection manager of an api_listener. */
export function apiManagerOf(listener: Listener, report: CompileReport): HttpConnectionManager | undefined {
  const any = listener.apiListener?.apiListener;
  if (any === undefined) return undefined;
  const manager = report.attempt('api_listener.api_listener', () => unpackAny(HttpConnectionManagerSchema, any));
  if (manager === undefined) report.fault('api_listener.api_listener', 'expected an HttpConnectionManager');
  return manager;
}

/** Every chain of a listener with its path; the default chain last. */
export function chainsOf(listener: Listener): readonly { readonly chain: FilterChain; readonly path: string }[] {
  const chains = listener.filterChains.map((chain, index) => ({ chain, path: `filter_chains[${index}]` }));
  if (listener.defaultFilterChain !== undefined)
    chains.push({ chain: listener.defaultFilterChain, path: 'default_filter_chain' });
  return chains;
}

/** Names of the RouteConfigurations that a listener's connection managers ask for. */
export function routeNamesOf(listener: Listener, report: CompileReport): readonly string[] {
  const managers = chainsOf(listener).flatMap(({ chain, path }) => {
    const terminal = terminalOf(chain, path, report);
    return terminal?.kind === 'http' ? [terminal.manager] : [];
  });
  const api = apiManagerOf(listener, report);
  const names = [...managers, ...(api === undefined ? [] : [api])].flatMap(({ routeSpecifier }) =>
    routeSpecifier.case === 'rds' ? [routeSpecifier.value.routeConfigName] : [],
  );
  return [...new Set(names)];
}
