// HTTP connection managers and TCP proxies as network filters, with the settings that istiod gives them.
/* eslint-disable @typescript-eslint/no-deprecated -- istiod writes fields of Envoy's that are deprecated, and unions have such arms */
import {
  AnySchema,
  ApiVersion,
  HttpConnectionManager_PathWithEscapedSlashesAction as EscapedSlashes,
  type Filter,
  FilterSchema,
  type HttpConnectionManager,
  HttpConnectionManagerSchema,
  HttpConnectionManager_ForwardClientCertDetails as ClientCertDetails,
  type HttpFilter,
  type RouteConfiguration,
  TcpProxySchema,
  create,
  packAny,
} from '@heddle/xds';
import type { WeightedDestination } from '../../view/spec/istio.js';
import { type RouteScope, destinationCluster } from '../route/destination.js';
import { durationOfMs } from '../wire.js';

export const HTTP_CONNECTION_MANAGER = 'envoy.filters.network.http_connection_manager';
export const TCP_PROXY = 'envoy.filters.network.tcp_proxy';

export function outboundManager(statPrefix: string, routeName: string, httpFilters: readonly HttpFilter[]): Filter {
  const manager = commonManager(`${statPrefix};`, httpFilters);
  manager.routeSpecifier = create(HttpConnectionManagerSchema, {
    routeSpecifier: {
      case: 'rds',
      value: {
        routeConfigName: routeName,
        configSource: {
          resourceApiVersion: ApiVersion.V3,
          initialFetchTimeout: durationOfMs(0),
          configSourceSpecifier: { case: 'ads', value: {} },
        },
      },
    },
  }).routeSpecifier;
  return managerFilter(manager);
}

/** Inbound: the routes are inside, and the caller's certificate is told to the application (x-forwarded-client-cert). */
export function inboundManager(
  statPrefix: string,
  routes: RouteConfiguration,
  httpFilters: readonly HttpFilter[],
): Filter {
  const manager = commonManager(`${statPrefix};`, httpFilters);
  manager.routeSpecifier = { case: 'routeConfig', value: routes };
  manager.serverName = 'istio-envoy';
  manager.forwardClientCertDetails = ClientCertDetails.APPEND_FORWARD;
  manager.setCurrentClientCertDetails = create(HttpConnectionManagerSchema, {
    setCurrentClientCertDetails: { subject: true, dns: true, uri: true },
  }).setCurrentClientCertDetails;
  return managerFilter(manager);
}

function commonManager(statPrefix: string, httpFilters: readonly HttpFilter[]): HttpConnectionManager {
  return create(HttpConnectionManagerSchema, {
    statPrefix,
    httpFilters: [...httpFilters],
    streamIdleTimeout: durationOfMs(0),
    useRemoteAddress: false,
    proxy100Continue: true,
    upgradeConfigs: [{ upgradeType: 'websocket' }],
    normalizePath: true,
    pathWithEscapedSlashesAction: EscapedSlashes.KEEP_UNCHANGED,
  });
}

function managerFilter(manager: HttpConnectionManager): Filter {
  return create(FilterSchema, {
    name: HTTP_CONNECTION_MANAGER,
    configType: { case: 'typedConfig', value: packAny(HttpConnectionManagerSchema, manager) },
  });
}

export function tcpProxy(statPrefix: string, cluster: string): Filter {
  return proxyFilter(create(TcpProxySchema, { statPrefix, clusterSpecifier: { case: 'cluster', value: cluster } }));
}

/** TCP to the destinations of a rule, by weight when there are several. */
export function routedTcpProxy(
  statPrefix: string,
  destinations: readonly WeightedDestination[],
  scope: RouteScope,
): Filter {
  const [only] = destinations;
  if (destinations.length === 1 && only !== undefined) {
    const cluster = destinationCluster(only.destination ?? {}, scope);
    return tcpProxy(cluster, cluster);
  }
  const clusters = destinations
    .filter((entry) => (entry.weight ?? 0) > 0)
    .map((entry) => ({ name: destinationCluster(entry.destination ?? {}, scope), weight: entry.weight ?? 0 }));
  return proxyFilter(
    create(TcpProxySchema, { statPrefix, clusterSpecifier: { case: 'weightedClusters', value: { clusters } } }),
  );
}

function proxyFilter(proxy: ReturnType<typeof create<typeof TcpProxySchema>>): Filter {
  return create(FilterSchema, {
    name: TCP_PROXY,
    configType: { case: 'typedConfig', value: packAny(TcpProxySchema, proxy) },
  });
}

/** A listener filter of Envoy's that has no settings. */
export function emptyExtension(typeUrl: string) {
  return { case: 'typedConfig' as const, value: create(AnySchema, { typeUrl }) };
}
