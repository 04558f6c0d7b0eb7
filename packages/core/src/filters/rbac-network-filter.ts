// Authorization of connections by RBAC policies (Envoy: envoy.filters.network.rbac). Rules about paths and headers match nothing here.
import { NETWORK_RBAC_TYPE_URL, NetworkRbacSchema } from '@heddle/xds';
import { configFault, unpackConfig, withPath } from './filter-config.js';
import type { ConnectionRequest, NetworkFilter, NetworkFilterKind } from './network-filter.js';
import { type RbacEngine, compileRbac, denialDetails } from './rbac/rbac-engine.js';
import { PIPELINE_SOURCES, type RbacRequest } from './rbac/rbac-request.js';

export const rbacNetworkFilterKind: NetworkFilterKind = {
  typeUrl: NETWORK_RBAC_TYPE_URL,
  security: true,
  compile(config, build) {
    const rbac = unpackConfig(NetworkRbacSchema, config, build.name);
    if (rbac === undefined) return undefined;
    if (rbac.matcher !== undefined) throw configFault('matcher', 'the generic matcher API is not supported');
    if (rbac.shadowRules !== undefined || rbac.shadowMatcher !== undefined)
      build.unsupported('$.shadow_rules', 'the shadow policy is not evaluated; nothing is enforced by it');
    if (rbac.delayDeny !== undefined) build.unsupported('$.delay_deny', 'a refused connection is closed at once');
    const { rules } = rbac;
    if (rules === undefined) return undefined;
    return new RbacNetworkFilter(
      build.name,
      withPath('rules', () => compileRbac(rules, PIPELINE_SOURCES)),
    );
  },
};

class RbacNetworkFilter implements NetworkFilter {
  readonly typeUrl = NETWORK_RBAC_TYPE_URL;

  constructor(
    readonly name: string,
    private readonly engine: RbacEngine,
  ) {}

  decide(connection: ConnectionRequest): { readonly allow: boolean; readonly details: string } {
    const { allowed, policy } = this.engine.decide(rbacView(connection));
    return { allow: allowed, details: allowed ? '' : denialDetails(policy) };
  }
}

function rbacView(connection: ConnectionRequest): RbacRequest {
  return {
    header: () => undefined,
    normalizedPath: '',
    peerPrincipal: connection.peerPrincipal,
    sourceIp: connection.sourceIp,
    remoteIp: connection.sourceIp,
    destinationIp: connection.destinationIp,
    destinationPort: connection.destinationPort,
    serverName: connection.serverName,
    dynamicMetadata: undefined,
  };
}
