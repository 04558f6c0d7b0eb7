// The frame of a listener: its address, direction and the listener filters that look into a connection.
import {
  type FilterChain,
  type Listener,
  type ListenerFilter,
  ListenerFilterSchema,
  ListenerSchema,
  TLS_INSPECTOR_TYPE_URL,
  TrafficDirection,
  create,
} from '@heddle/xds';
import { durationOfMs } from '../wire.js';
import { emptyExtension } from './connection-manager.js';

const HTTP_INSPECTOR_TYPE_URL = 'type.googleapis.com/envoy.extensions.filters.listener.http_inspector.v3.HttpInspector';
const ORIGINAL_DST_TYPE_URL = 'type.googleapis.com/envoy.extensions.filters.listener.original_dst.v3.OriginalDst';

interface Chains {
  readonly filterChains: readonly FilterChain[];
  readonly defaultFilterChain?: FilterChain;
  readonly listenerFilters?: readonly ListenerFilter[];
}

/** Not bound: connections reach it through virtualOutbound, by the address that they were dialled to. */
export function outboundListener(address: string, port: number, chains: Chains): Listener {
  return listener(`${address}_${port}`, address, port, TrafficDirection.OUTBOUND, chains, false);
}

export function inboundListener(name: string, port: number, filterChains: readonly FilterChain[]): Listener {
  const original = create(ListenerFilterSchema, {
    name: 'envoy.filters.listener.original_dst',
    configType: emptyExtension(ORIGINAL_DST_TYPE_URL),
  });
  // Only chains that tell plain HTTP from other plain bytes need to look into it.
  const sniffsHttp = filterChains.some(
    (chain) => chain.filterChainMatch?.applicationProtocols.includes('http/1.1') === true,
  );
  const listenerFilters = [original, ...sniffingFilters(sniffsHttp, true)];
  return listener(name, '0.0.0.0', port, TrafficDirection.INBOUND, { filterChains, listenerFilters }, undefined);
}

export function sniffingFilters(http: boolean, tls: boolean): readonly ListenerFilter[] {
  const filter = (name: string, typeUrl: string) =>
    create(ListenerFilterSchema, { name, configType: emptyExtension(typeUrl) });
  return [
    ...(tls ? [filter('envoy.filters.listener.tls_inspector', TLS_INSPECTOR_TYPE_URL)] : []),
    ...(http ? [filter('envoy.filters.listener.http_inspector', HTTP_INSPECTOR_TYPE_URL)] : []),
  ];
}

function listener(
  name: string,
  address: string,
  port: number,
  trafficDirection: TrafficDirection,
  chains: Chains,
  bindToPort: boolean | undefined,
): Listener {
  return create(ListenerSchema, {
    name,
    address: {
      address: { case: 'socketAddress', value: { address, portSpecifier: { case: 'portValue', value: port } } },
    },
    filterChains: [...chains.filterChains],
    ...(chains.defaultFilterChain === undefined ? {} : { defaultFilterChain: chains.defaultFilterChain }),
    listenerFilters: [...(chains.listenerFilters ?? [])],
    trafficDirection,
    listenerFiltersTimeout: durationOfMs(0),
    continueOnListenerFiltersTimeout: true,
    ...(bindToPort === undefined ? {} : { bindToPort }),
  });
}
