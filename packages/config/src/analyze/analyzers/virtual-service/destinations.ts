// Destinations of VirtualServices that lead nowhere: a host, port or subset that nothing declares.
import type { ConfigObject, FieldPath } from '../../../model/config-object.js';
import type { VirtualServiceDestination, VirtualServiceSpec } from '../../../schema/gen/virtual-service.js';
import { didYouMean } from '../../../schema/nearest-name.js';
import { hostCovers, isWildcard } from '../../../view/host-names.js';
import type { Analyzer } from '../../analyzer.js';
import type { ConfigView } from '../../config-view.js';
import { messages } from '../../messages.js';
import type { Report } from '../../report.js';

export const virtualServiceDestinations: Analyzer = {
  name: 'virtual-service-destinations',
  description: 'Hosts, ports and subsets that VirtualServices send to',
  inputs: ['VirtualService', 'DestinationRule', 'Service', 'ServiceEntry'],
  scope: 'mesh',
  analyze(view, report) {
    const subsets = collectSubsets(view);
    for (const object of view.all('VirtualService')) {
      for (const { destination, path } of destinationsOf(object.spec)) {
        checkDestination(view, subsets, { object, path }, destination, report);
      }
    }
  },
};

interface Place {
  readonly object: ConfigObject<unknown>;
  readonly path: FieldPath;
}

interface Found {
  readonly destination: VirtualServiceDestination;
  readonly path: FieldPath;
}

function destinationsOf(spec: VirtualServiceSpec): Found[] {
  const found: Found[] = [];
  const add = (destination: VirtualServiceDestination | undefined, ...path: (string | number)[]) => {
    if (destination) found.push({ destination, path: ['spec', ...path] });
  };
  spec.http?.forEach((rule, index) => {
    rule.route?.forEach((to, at) => add(to.destination, 'http', index, 'route', at, 'destination'));
    add(rule.mirror, 'http', index, 'mirror');
    rule.mirrors?.forEach((mirror, at) => add(mirror.destination, 'http', index, 'mirrors', at, 'destination'));
  });
  for (const protocol of ['tcp', 'tls'] as const) {
    spec[protocol]?.forEach((rule, index) =>
      rule.route?.forEach((to, at) => add(to.destination, protocol, index, 'route', at, 'destination')),
    );
  }
  return found;
}

function checkDestination(
  view: ConfigView,
  subsets: Subsets,
  place: Place,
  to: VirtualServiceDestination,
  report: Report,
): void {
  const { namespace } = place.object.metadata;
  const host = view.resolve(to.host, namespace);
  const services = view.servicesOf(host, namespace);
  if (services.length === 0) {
    const at = { ...place, path: [...place.path, 'host'] };
    report(messages.unknownHost, at, { host: to.host }, view.suggestHost(to.host, namespace));
  } else
    checkPort(
      services.flatMap((service) => service.ports.map((port) => port.number)),
      place,
      to,
      report,
    );
  if (to.subset !== undefined) checkSubset(subsets, host, place, to.subset, report);
}

function checkPort(numbers: readonly number[], place: Place, to: VirtualServiceDestination, report: Report): void {
  const ports = [...new Set(numbers)];
  const port = to.port?.number;
  if (port === undefined) {
    if (ports.length > 1) report(messages.portNeeded, place, { host: to.host, ports: ports.join(', ') });
  } else if (!ports.includes(port)) {
    const at = { ...place, path: [...place.path, 'port', 'number'] };
    report(messages.unknownPort, at, { host: to.host, port, ports: ports.join(', ') || 'none' });
  }
}

/** Names of subsets by the host of their rules; wildcard hosts apart, because they have to be searched. */
interface Subsets {
  readonly byHost: ReadonlyMap<string, readonly string[]>;
  readonly wildcards: readonly (readonly [host: string, names: readonly string[]])[];
}

// Exports of rules and the client's namespace are left aside: a subset that exists for some clients is not a slip of the pen.
function collectSubsets(view: ConfigView): Subsets {
  const byHost = new Map<string, readonly string[]>();
  for (const { spec, metadata } of view.all('DestinationRule')) {
    const host = view.resolve(spec.host, metadata.namespace);
    byHost.set(host, [...(byHost.get(host) ?? []), ...(spec.subsets ?? []).map((subset) => subset.name)]);
  }
  return { byHost, wildcards: [...byHost].filter(([host]) => isWildcard(host)) };
}

function checkSubset(subsets: Subsets, host: string, place: Place, subset: string, report: Report): void {
  const covering = subsets.wildcards.filter(([pattern]) => hostCovers(pattern, host)).flatMap(([, names]) => names);
  const names = [...(subsets.byHost.get(host) ?? []), ...covering];
  if (names.includes(subset)) return;
  report(
    messages.unknownSubset,
    { ...place, path: [...place.path, 'subset'] },
    { host, subset },
    didYouMean(subset, names),
  );
}
