// HTTP filters that every connection manager of the mesh has. Istio's own (metadata_exchange, alpn, stats, grpc_stats) are left
// out: they exist only in Istio's proxy, and stock Envoys refuse them.
import {
  type Any,
  CorsSchema,
  HTTPFaultSchema,
  type HttpFilter,
  HttpFilterSchema,
  RouterSchema,
  create,
  packAny,
} from '@heddle/xds';
import { CORS_FILTER, FAULT_FILTER } from '../route/http-filters-per-route.js';

export const ROUTER_FILTER = 'envoy.filters.http.router';

export function httpFilter(name: string, typedConfig: Any): HttpFilter {
  return create(HttpFilterSchema, { name, configType: { case: 'typedConfig', value: typedConfig } });
}

/** Fault, CORS and router, in the order in which istiod writes them. */
export function standardFilters(): readonly HttpFilter[] {
  return [
    httpFilter(FAULT_FILTER, packAny(HTTPFaultSchema, {})),
    httpFilter(CORS_FILTER, packAny(CorsSchema, {})),
    httpFilter(ROUTER_FILTER, packAny(RouterSchema, {})),
  ];
}
