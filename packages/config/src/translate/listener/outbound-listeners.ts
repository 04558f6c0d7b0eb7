// Outbound listeners as istiod binds them: `0.0.0.0_PORT` for HTTP by port, `VIP_PORT` for connections to an address, and
// `virtualOutbound` for everything else. A port whose protocol is detected has both: callers by name have no address.
import {
  BLACK_HOLE_CLUSTER,
  type ConfigOrigin,
  type Filter,
  type FilterChain,
  FilterChainSchema,
  type Listener,
  PASSTHROUGH_CLUSTER,
  VIRTUAL_OUTBOUND_LISTENER,
  create,
  formatClusterName,
} from '@heddle/xds';
import { messages } from '../../analyze/messages.js';
import type { MeshPort, MeshService } from '../../view/mesh-service.js';
import { isHttp } from '../../view/port-protocol.js';
import type { TranslationContext } from '../context.js';
import { patchedFilters } from '../envoy-filter/http-filter-patches.js';
import { NO_DETAILS, type OriginDetails, type Translated, originAt } from '../translated.js';
import type { RouteNames } from '../route/route-configurations.js';
import { configPath, durationOfMs, istioMetadata } from '../wire.js';
import { outboundManager, routedTcpProxy, tcpProxy } from './connection-manager.js';
import { standardFilters } from './http-filters.js';
import { outboundListener, sniffingFilters } from './listener-frame.js';
import { tcpRoutes } from './tcp-routes.js';

export interface OutboundListeners {
  readonly listeners: readonly Translated<Listener>[];
  readonly routeNames: RouteNames;
}

const WILDCARD = '0.0.0.0';

/** What is bound to one address and port before it becomes a listener. */
interface Binding {
  readonly address: string;
  readonly port: number;
  /** Route configuration of its HTTP chain. */
  routeName: string | undefined;
  /** Chains by server name. */
  readonly serverNameChains: FilterChain[];
  /** The chain for connections of any kind, and who asked for it. */
  fallback: { readonly chain: FilterChain; readonly service: MeshService } | undefined;
  origin: ConfigOrigin | undefined;
  /** Every service that it takes calls for. */
  readonly services: Set<MeshService>;
}

export function outboundListeners(context: TranslationContext): OutboundListeners {
  const bindings = new Map<string, Binding>();
  for (const service of context.scope.services) {
    for (const port of service.ports) if (port.protocol !== 'udp') bindPort(context, bindings, service, port);
  }
  const bound = [...bindings.values()].sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
  const ports = bound.filter((binding) => binding.address === WILDCARD && binding.routeName !== undefined);
  const detected = new Set(bound.map((binding) => binding.routeName).filter((name) => name?.includes(':') === true));
  return {
    listeners: [...bound.map((binding) => bindingListener(context, binding)), virtualOutbound(context)],
    routeNames: { ports: ports.map((binding) => binding.port), detected: [...detected] as string[] },
  };
}

function nameOf(binding: Binding): string {
  return `${binding.address}_${binding.port}`;
}

function bindingAt(bindings: Map<string, Binding>, address: string, port: number): Binding {
  const key = `${address}_${port}`;
  const known = bindings.get(key);
  if (known !== undefined) return known;
  const made = {
    address,
    port,
    routeName: undefined,
    serverNameChains: [],
    fallback: undefined,
    origin: undefined,
    services: new Set<MeshService>(),
  };
  bindings.set(key, made);
  return made;
}

function bindPort(
  context: TranslationContext,
  bindings: Map<string, Binding>,
  service: MeshService,
  port: MeshPort,
): void {
  if (isHttp(port.protocol) || port.protocol === 'auto') {
    const binding = bindingAt(bindings, WILDCARD, port.number);
    binding.routeName = String(port.number);
    binding.services.add(service);
    if (port.protocol !== 'auto') return;
  }
  const addresses = connectionAddresses(context, service, port);
  for (const address of addresses) {
    const binding = bindingAt(bindings, address, port.number);
    if (port.protocol === 'auto') binding.routeName = `${service.host}:${port.number}`;
    bindConnections(context, binding, service, port);
  }
  // Without an address only the port (and for TLS the server name) tells the service.
  if (addresses.length === 0 && port.protocol !== 'auto') {
    bindConnections(context, bindingAt(bindings, WILDCARD, port.number), service, port);
  }
}

/** Virtual addresses; a headless service is dialled at each endpoint's own (Istio: headless TCP listeners). */
function connectionAddresses({ view }: TranslationContext, service: MeshService, port: MeshPort): readonly string[] {
  if (!service.headless) return service.addresses;
  return [...new Set(view.endpoints(service, port).map((endpoint) => endpoint.address))];
}

function bindConnections(context: TranslationContext, binding: Binding, service: MeshService, port: MeshPort): void {
  const wildcard = binding.address === WILDCARD;
  const tls = port.protocol === 'tls' || port.protocol === 'https';
  const cluster = formatClusterName({ direction: 'outbound', port: port.number, subset: '', host: service.host });
  const routes = tcpRoutes(context, service, port);
  binding.origin ??= portOrigin(service, port.number);
  binding.services.add(service);
  for (const route of routes) {
    const scope = { context, namespace: route.object.metadata.namespace, listenerPort: port.number };
    const filter = routedTcpProxy(`${service.name}.${service.namespace}`, route.destinations, scope);
    const chain = create(FilterChainSchema, {
      filters: [filter],
      metadata: istioMetadata({ config: configPath(route.object, 'virtual-service') }),
      ...(route.serverNames.length === 0 ? {} : { filterChainMatch: { serverNames: [...route.serverNames] } }),
    });
    if (route.serverNames.length > 0) binding.serverNameChains.push(chain);
    else return setFallback(context, binding, chain, service);
  }
  const filters = [tcpProxy(cluster, cluster)];
  if (!tls || !wildcard) return setFallback(context, binding, create(FilterChainSchema, { filters }), service);
  const named = new Set(binding.serverNameChains.flatMap((chain) => chain.filterChainMatch?.serverNames ?? []));
  if (named.has(service.host)) return;
  binding.serverNameChains.push(
    create(FilterChainSchema, { filters, filterChainMatch: { serverNames: [service.host] } }),
  );
}

function setFallback(context: TranslationContext, binding: Binding, chain: FilterChain, service: MeshService): void {
  if (binding.fallback === undefined) {
    binding.fallback = { chain, service };
    return;
  }
  if (binding.fallback.service === service) return;
  const place = { object: service.object, path: ['spec', 'ports'] };
  context.report(messages.listenerConflict, place, { other: binding.fallback.service.host, listener: nameOf(binding) });
}

function bindingListener(context: TranslationContext, binding: Binding): Translated<Listener> {
  const name = nameOf(binding);
  const chains = [...binding.serverNameChains];
  if (binding.routeName !== undefined) chains.unshift(httpChain(context, name, binding));
  const passes = binding.address === WILDCARD;
  const fallback = binding.fallback?.chain ?? (passes ? passthroughChain(context) : undefined);
  const alone = binding.fallback !== undefined && chains.length === 0;
  const message = outboundListener(binding.address, binding.port, {
    filterChains: alone && fallback !== undefined ? [fallback] : chains,
    ...(alone || fallback === undefined ? {} : { defaultFilterChain: fallback }),
    listenerFilters: sniffingFilters(binding.routeName !== undefined, binding.serverNameChains.length > 0),
  });
  return { name, message, origin: binding.origin, details: new ServiceOrigins([...binding.services], binding.port) };
}

/** Many services may share a port: the one that a call was for is searched when somebody asks. */
class ServiceOrigins implements OriginDetails {
  constructor(
    private readonly services: readonly MeshService[],
    private readonly port: number,
  ) {}

  get(detail: string): ConfigOrigin | undefined {
    const service = this.services.find(({ host }) => detail === `${host}:${this.port}`);
    return service === undefined ? undefined : portOrigin(service, this.port);
  }
}

function portOrigin(service: MeshService, number: number): ConfigOrigin {
  return originAt(service.object, ['spec', 'ports', service.ports.findIndex((port) => port.number === number)]);
}

function httpChain(context: TranslationContext, listenerName: string, { port, routeName }: Binding): FilterChain {
  const chain = create(FilterChainSchema, {
    filterChainMatch: { transportProtocol: 'raw_buffer', applicationProtocols: ['http/1.1', 'h2c'] },
    transportSocketConnectTimeout: durationOfMs(15_000),
  });
  const filters = patchedFilters(context, standardFilters(), {
    direction: 'SIDECAR_OUTBOUND',
    listenerName,
    listenerPort: port,
    chain,
  });
  chain.filters = [outboundManager(`outbound_${listenerName}`, routeName ?? '', filters)];
  return chain;
}

/** For connections that are not HTTP and to no service that the port knows. */
function passthroughChain(context: TranslationContext): FilterChain {
  return create(FilterChainSchema, {
    name: 'PassthroughFilterChain',
    filterChainMatch: {},
    filters: [unknownDestination(context)],
  });
}

function unknownChain(context: TranslationContext, name: string): FilterChain {
  return create(FilterChainSchema, { name, filters: [unknownDestination(context)] });
}

function unknownDestination({ scope }: TranslationContext): Filter {
  const cluster = scope.outboundTrafficPolicy === 'ALLOW_ANY' ? PASSTHROUGH_CLUSTER : BLACK_HOLE_CLUSTER;
  return tcpProxy(cluster, cluster);
}

function virtualOutbound(context: TranslationContext): Translated<Listener> {
  const loop = create(FilterChainSchema, {
    name: 'virtualOutbound-blackhole',
    filterChainMatch: { destinationPort: 15001 },
    filters: [tcpProxy(BLACK_HOLE_CLUSTER, BLACK_HOLE_CLUSTER)],
  });
  const message = outboundListener(WILDCARD, 15001, {
    filterChains: [loop, unknownChain(context, 'virtualOutbound-catchall-tcp')],
  });
  message.name = VIRTUAL_OUTBOUND_LISTENER;
  message.useOriginalDst = true;
  message.bindToPort = undefined;
  message.listenerFiltersTimeout = undefined;
  message.continueOnListenerFiltersTimeout = false;
  const { sidecar } = context.scope;
  const origin = sidecar === undefined ? undefined : originAt(sidecar, ['spec', 'outboundTrafficPolicy']);
  return { name: VIRTUAL_OUTBOUND_LISTENER, message, origin, details: NO_DETAILS };
}
