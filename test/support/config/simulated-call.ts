// An imaginary call through translated resources: which listener, virtual host, route and clusters it would meet.
import type { Cluster, HeaderMatcher, Route, RouteMatch, StringMatcher, VirtualHost } from '@heddle/xds';
import type { TranslatedResources } from '@heddle/config';

export interface Call {
  readonly url: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface SimulatedCall {
  readonly listener: string;
  readonly virtualHost: string;
  readonly route: Route;
  /** Weights by cluster; 1 for a single cluster, empty when the route answers itself. */
  readonly clusters: Readonly<Record<string, number>>;
}

export function simulateCall(resources: TranslatedResources, call: Call): SimulatedCall {
  const url = new URL(call.url);
  const port = url.port === '' ? '80' : url.port;
  const listener = resources.listeners.find((candidate) => candidate.name === `0.0.0.0_${port}`);
  const configuration = resources.routes.find((candidate) => candidate.name === port)?.message;
  if (listener === undefined || configuration === undefined) throw new Error(`nothing listens for port ${port}`);
  const virtualHost = hostFor(configuration.virtualHosts, url.hostname);
  if (virtualHost === undefined) throw new Error(`no virtual host for ${url.hostname}`);
  const headers = { ...call.headers, ':method': call.method ?? 'GET', ':authority': url.host, ':scheme': 'http' };
  const route = virtualHost.routes.find(
    (candidate) => candidate.match !== undefined && matches(candidate.match, url, headers),
  );
  if (route === undefined) throw new Error(`no route for ${url.pathname}`);
  return { listener: listener.name, virtualHost: virtualHost.name, route, clusters: clustersOf(route) };
}

/** Addresses of a cluster's endpoints, `IP:PORT`. */
export function endpointsOf(resources: TranslatedResources, cluster: string): readonly string[] {
  const inline = clusterNamed(resources, cluster).loadAssignment;
  const assignment = inline ?? resources.endpoints.find((candidate) => candidate.name === cluster)?.message;
  return (assignment?.endpoints ?? []).flatMap((group) =>
    group.lbEndpoints.map((endpoint) => {
      const address =
        endpoint.hostIdentifier.case === 'endpoint' ? endpoint.hostIdentifier.value.address?.address : undefined;
      if (address?.case !== 'socketAddress') throw new Error('an endpoint without a socket address');
      return `${address.value.address}:${String(address.value.portSpecifier.value)}`;
    }),
  );
}

export function clusterNamed(resources: TranslatedResources, name: string): Cluster {
  const found = resources.clusters.find((candidate) => candidate.name === name);
  if (found === undefined) throw new Error(`no cluster ${name}`);
  return found.message;
}

function clustersOf(route: Route): Readonly<Record<string, number>> {
  if (route.action.case !== 'route') return {};
  const specifier = route.action.value.clusterSpecifier;
  if (specifier.case === 'cluster') return { [specifier.value]: 1 };
  if (specifier.case !== 'weightedClusters') return {};
  return Object.fromEntries(specifier.value.clusters.map((cluster) => [cluster.name, cluster.weight ?? 0]));
}

function hostFor(hosts: readonly VirtualHost[], name: string): VirtualHost | undefined {
  const suffixed = (host: VirtualHost) =>
    host.domains.some((domain) => domain.startsWith('*.') && name.endsWith(domain.slice(1)));
  return (
    hosts.find((host) => host.domains.includes(name)) ??
    hosts.find(suffixed) ??
    hosts.find((host) => host.domains.includes('*'))
  );
}

function matches(match: RouteMatch, url: URL, headers: Readonly<Record<string, string>>): boolean {
  return (
    pathMatches(match, url.pathname) &&
    match.headers.every((header) => headerMatches(header, headers[header.name])) &&
    match.queryParameters.every((parameter) => {
      const value = url.searchParams.get(parameter.name);
      const specifier = parameter.queryParameterMatchSpecifier;
      return value !== null && (specifier.case === 'stringMatch' ? textMatches(specifier.value, value) : true);
    })
  );
}

function pathMatches({ pathSpecifier: path }: RouteMatch, pathname: string): boolean {
  if (path.case === 'prefix') return pathname.startsWith(path.value);
  if (path.case === 'path') return pathname === path.value;
  if (path.case === 'pathSeparatedPrefix') return pathname === path.value || pathname.startsWith(`${path.value}/`);
  return path.case === 'safeRegex' && new RegExp(`^(?:${path.value.regex})$`).test(pathname);
}

function headerMatches(matcher: HeaderMatcher, value: string | undefined): boolean {
  const specifier = matcher.headerMatchSpecifier;
  const text = value ?? (matcher.treatMissingHeaderAsEmpty ? '' : undefined);
  const matched = text !== undefined && (specifier.case === 'stringMatch' ? textMatches(specifier.value, text) : true);
  return matched !== matcher.invertMatch;
}

function textMatches({ matchPattern: pattern }: StringMatcher, text: string): boolean {
  if (pattern.case === 'exact') return text === pattern.value;
  if (pattern.case === 'prefix') return text.startsWith(pattern.value);
  if (pattern.case === 'suffix') return text.endsWith(pattern.value);
  return pattern.case === 'safeRegex' && new RegExp(`^(?:${pattern.value.regex})$`).test(text);
}
