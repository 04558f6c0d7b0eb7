// Support of the kinds that set policies for destinations and workloads: DestinationRule, AuthorizationPolicy, PeerAuthentication,
// EnvoyFilter.
import type { AuthorizationPolicySpec } from '../../schema/gen/authorization-policy.js';
import type {
  DestinationRuleLoadBalancer,
  DestinationRuleOutlierDetection,
  DestinationRuleSpec,
  DestinationRuleTls,
  DestinationRuleTrafficPolicy,
} from '../../schema/gen/destination-rule.js';
import type { EnvoyFilterSpec } from '../../schema/gen/envoy-filter.js';
import type { PeerAuthenticationSpec } from '../../schema/gen/peer-authentication.js';
import type { HonouredFields } from './honoured-fields.js';

const byDistance = 'endpoints have the priorities of their locality';

const loadBalancerFields: HonouredFields<DestinationRuleLoadBalancer> = {
  consistentHash: true,
  localityLbSetting: { distribute: true, enabled: true, failover: true, failoverPriority: byDistance },
  simple: true,
  warmup: true,
  warmupDurationSecs: true,
  zoneAwareLbSetting: byDistance,
};

const outlierDetectionFields: HonouredFields<DestinationRuleOutlierDetection> = {
  baseEjectionTime: true,
  consecutive5xxErrors: true,
  // Istio no longer reads it either; `deprecated-field` says what to write instead.
  consecutiveErrors: true,
  consecutiveGatewayErrors: true,
  consecutiveLocalOriginFailures: true,
  interval: true,
  maxEjectionPercent: true,
  minHealthPercent: true,
  outlierDetectionHttpErrorCodes: 'only 5xx answers count as errors',
  splitExternalLocalOriginErrors: true,
};

const tlsFields: HonouredFields<DestinationRuleTls> = {
  caCertificates: true,
  caCrl: 'no connection is made, because revoked certificates could not be told',
  clientCertificate: true,
  credentialName: 'secrets of Kubernetes are not read; name files (without them, MUTUAL makes no connection)',
  insecureSkipVerify: true,
  mode: true,
  privateKey: true,
  sni: true,
  subjectAltNames: true,
};

const trafficPolicyFields: HonouredFields<DestinationRuleTrafficPolicy> = {
  connectionPool: true,
  loadBalancer: loadBalancerFields,
  outlierDetection: outlierDetectionFields,
  portLevelSettings: {
    connectionPool: true,
    loadBalancer: loadBalancerFields,
    outlierDetection: outlierDetectionFields,
    port: true,
    tls: tlsFields,
  },
  proxyProtocol: 'no PROXY header is sent',
  retryBudget: {
    budgetInterval: 'the budget counts the requests under way',
    minRetryConcurrency: true,
    percent: true,
  },
  tls: tlsFields,
  tunnel: 'connections go straight to the endpoint',
};

export const destinationRuleFields: HonouredFields<DestinationRuleSpec> = {
  exportTo: true,
  host: true,
  subsets: { labels: true, name: true, trafficPolicy: trafficPolicyFields },
  trafficPolicy: trafficPolicyFields,
  workloadSelector: true,
};

const gatewaysOnly = 'the policy is for gateways and waypoints and holds for no service';

export const authorizationPolicyFields: HonouredFields<AuthorizationPolicySpec> = {
  action: true,
  // `custom-authorization-denied` says what becomes of CUSTOM.
  provider: true,
  rules: true,
  selector: true,
  targetRef: gatewaysOnly,
  targetRefs: gatewaysOnly,
};

export const peerAuthenticationFields: HonouredFields<PeerAuthenticationSpec> = {
  mtls: true,
  portLevelMtls: true,
  selector: true,
};

export const envoyFilterFields: HonouredFields<EnvoyFilterSpec> = {
  configPatches: {
    applyTo: true,
    match: {
      // The analyzer of EnvoyFilters says which contexts and targets are not applied.
      cluster: true,
      context: true,
      listener: {
        filterChain: true,
        listenerFilter: 'the patch is applied whatever listener filters there are',
        name: true,
        portName: 'the patch is applied on every port',
        portNumber: true,
      },
      proxy: 'the patch is applied whatever the version and metadata of the workload',
      routeConfiguration: true,
      waypoint: true,
    },
    patch: {
      filterClass: 'the filter stands where the operation puts it',
      operation: true,
      value: true,
    },
  },
  priority: true,
  targetRefs: gatewaysOnly,
  workloadSelector: true,
};
