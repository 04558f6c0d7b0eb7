// Support of the kinds that shape traffic: VirtualService, Sidecar, ServiceEntry, WorkloadEntry, HTTPRoute.
import type { HTTPRouteFilter, HTTPRouteSpec } from '../../schema/gen/http-route.js';
import type { ServiceEntrySpec } from '../../schema/gen/service-entry.js';
import type { SidecarSpec } from '../../schema/gen/sidecar.js';
import type { VirtualServiceSpec } from '../../schema/gen/virtual-service.js';
import type { WorkloadEntrySpec } from '../../schema/gen/workload-entry.js';
import type { HonouredFields } from './honoured-fields.js';

const anyAddress = 'the rule holds for every address';

export const virtualServiceFields: HonouredFields<VirtualServiceSpec> = {
  exportTo: true,
  gateways: true,
  hosts: true,
  http: {
    corsPolicy: true,
    delegate: 'delegation to another VirtualService is left out, and the rule with it',
    directResponse: true,
    fault: {
      abort: { grpcStatus: true, http2Error: 'no request is aborted', httpStatus: true, percentage: true },
      delay: { exponentialDelay: 'no request is delayed', fixedDelay: true, percent: true, percentage: true },
    },
    headers: true,
    match: true,
    mirror: true,
    mirror_percent: true,
    mirrorPercent: true,
    mirrorPercentage: true,
    mirrors: true,
    name: true,
    redirect: true,
    retries: true,
    rewrite: true,
    route: true,
    timeout: true,
  },
  tcp: {
    match: {
      destinationSubnets: anyAddress,
      gateways: true,
      port: true,
      sourceLabels: true,
      sourceNamespace: true,
      sourceSubnet: 'the rule holds for every source',
    },
    route: true,
  },
  tls: {
    match: {
      destinationSubnets: anyAddress,
      gateways: true,
      port: true,
      sniHosts: true,
      sourceLabels: true,
      sourceNamespace: true,
    },
    route: true,
  },
};

const byServices = 'ports are served as the Services of the workload say';

export const sidecarFields: HonouredFields<SidecarSpec> = {
  egress: {
    bind: 'there is no listener of its own; the hosts are called by name',
    captureMode: (mode) => (mode === 'DEFAULT' ? undefined : 'calls inside the process are not captured'),
    hosts: true,
    port: 'the hosts of this listener are visible on every port',
  },
  inboundConnectionPool: 'inbound connections have the limits of the DestinationRule',
  ingress: byServices,
  outboundTrafficPolicy: { egressProxy: 'calls to unknown hosts go straight to them', mode: true },
  workloadSelector: true,
};

const oneNetwork = 'every endpoint is dialled directly, as if all were in one network';

const workloadEntryFields: HonouredFields<WorkloadEntrySpec> = {
  address: (address) =>
    typeof address === 'string' && address.startsWith('unix:') ? 'a Unix socket cannot be an endpoint' : undefined,
  labels: true,
  locality: true,
  network: oneNetwork,
  ports: true,
  serviceAccount: true,
  weight: true,
};

export { workloadEntryFields };

export const serviceEntryFields: HonouredFields<ServiceEntrySpec> = {
  addresses: (addresses) => {
    const ranges = Array.isArray(addresses) && addresses.some((address) => String(address).includes('/'));
    return ranges ? 'ranges of addresses are left out; the hosts are called by name' : undefined;
  },
  endpoints: workloadEntryFields,
  exportTo: true,
  hosts: true,
  location: true,
  ports: true,
  resolution: (resolution) =>
    resolution === 'DYNAMIC_DNS' ? 'calls go to wherever the caller dialled, as with NONE' : undefined,
  subjectAltNames: true,
  workloadSelector: true,
};

const asRequested = 'requests are forwarded as if the filter were not there';

const backendFilterFields: HonouredFields<readonly HTTPRouteFilter[]> = {
  cors: asRequested,
  extensionRef: asRequested,
  requestHeaderModifier: true,
  requestMirror: asRequested,
  requestRedirect: asRequested,
  responseHeaderModifier: true,
  type: true,
  urlRewrite: asRequested,
};

export const httpRouteFields: HonouredFields<HTTPRouteSpec> = {
  // Routes of a Service take every host name of the service (GEP-1426).
  hostnames: true,
  parentRefs: {
    group: true,
    kind: true,
    name: true,
    namespace: true,
    port: true,
    sectionName: 'the route holds for every port of the parent; name the port by `port`',
  },
  rules: {
    backendRefs: {
      filters: backendFilterFields,
      group: true,
      kind: true,
      name: true,
      namespace: true,
      port: true,
      weight: true,
    },
    filters: { ...backendFilterFields, requestMirror: true, requestRedirect: true, urlRewrite: true },
    matches: true,
    name: true,
    retry: true,
    timeouts: true,
  },
};
