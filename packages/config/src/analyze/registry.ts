// All analyzers, in the order in which they run. Only those that look at one object alone may say errors: an object with an error is
// not in force, and that must not depend on what lies beside it.
import type { Analyzer } from './analyzer.js';
import { authorizationPolicies } from './analyzers/authorization-policies.js';
import { deprecatedFields } from './analyzers/deprecated-fields.js';
import { destinationRules } from './analyzers/destination-rules.js';
import { duplicateSubsets } from './analyzers/duplicate-subsets.js';
import { envoyFilters } from './analyzers/envoy-filters.js';
import { gatewayApiRoutes } from './analyzers/gateway-api-routes.js';
import { policyNamespaces } from './analyzers/policy-namespaces.js';
import { regexes } from './analyzers/regexes.js';
import { support } from './analyzers/support.js';
import { servicePorts } from './analyzers/service-ports.js';
import { virtualServiceDestinations } from './analyzers/virtual-service/destinations.js';
import { virtualServiceGateways } from './analyzers/virtual-service/gateways.js';
import { virtualServiceHosts } from './analyzers/virtual-service/hosts.js';
import { virtualServiceOrder } from './analyzers/virtual-service/order.js';
import { virtualServiceRoutes } from './analyzers/virtual-service/routes.js';
import { workloadSelectors } from './analyzers/workload-selectors.js';

const all: readonly Analyzer[] = [
  virtualServiceRoutes,
  virtualServiceOrder,
  virtualServiceDestinations,
  virtualServiceHosts,
  virtualServiceGateways,
  destinationRules,
  duplicateSubsets,
  gatewayApiRoutes,
  regexes,
  authorizationPolicies,
  policyNamespaces,
  workloadSelectors,
  envoyFilters,
  servicePorts,
  deprecatedFields,
  support,
];

/** Run on each object when it is read or built. */
export const objectAnalyzers = all.filter(({ scope }) => scope === 'object');
/** Run on the whole configuration by checkConfig. */
export const meshAnalyzers = all.filter(({ scope }) => scope === 'mesh');
