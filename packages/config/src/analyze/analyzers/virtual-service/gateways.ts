// Gateways that VirtualServices name: they have to exist and to serve one of the hosts.
import { hostsOverlap } from '../../../view/host-names.js';
import type { Analyzer } from '../../analyzer.js';
import type { ConfigView, ObjectOf } from '../../config-view.js';
import { messages } from '../../messages.js';
import type { Report } from '../../report.js';

export const virtualServiceGateways: Analyzer = {
  name: 'virtual-service-gateways',
  description: 'Gateways of VirtualServices: whether they exist and serve the hosts',
  inputs: ['VirtualService', 'Gateway'],
  scope: 'mesh',
  analyze(view, report) {
    const gateways = new Map(
      view.all('Gateway').map((object) => [`${object.metadata.namespace}/${object.metadata.name}`, object]),
    );
    for (const object of view.all('VirtualService')) {
      object.spec.gateways?.forEach((name, index) => {
        if (name === 'mesh') return;
        const gateway = gateways.get(name.includes('/') ? name : `${object.metadata.namespace}/${name}`);
        const place = { object: object, path: ['spec', 'gateways', index] };
        if (!gateway) report(messages.unknownGateway, place, { gateway: name });
        else checkHosts(view, object, gateway, name, report);
      });
    }
  },
};

function checkHosts(
  view: ConfigView,
  object: ObjectOf<'VirtualService'>,
  gateway: ObjectOf<'Gateway'>,
  name: string,
  report: Report,
): void {
  const { namespace } = object.metadata;
  const served = (gateway.spec.servers ?? [])
    .flatMap((server) => server.hosts)
    .filter((host) => visibleTo(host, namespace, gateway));
  const patterns = served.map((host) => view.resolve(host.slice(host.indexOf('/') + 1), namespace));
  const hosts = object.spec.hosts ?? [];
  const lost = hosts.filter(
    (host) => !patterns.some((pattern) => hostsOverlap(pattern, view.resolve(host, namespace))),
  );
  if (lost.length === 0 || hosts.length === 0) return;
  const place = { object: object, path: ['spec', 'hosts', hosts.indexOf(lost[0] ?? '')] };
  report(messages.hostNotInGateway, place, { gateway: name, hosts: lost.join(', ') });
}

// A server's host may be led by the namespace whose VirtualServices may bind to it: `prod/*.example.com`, `./a.example.com`.
function visibleTo(host: string, namespace: string, gateway: ObjectOf<'Gateway'>): boolean {
  const slash = host.indexOf('/');
  if (slash < 0) return true;
  const owner = host.slice(0, slash);
  return owner === '*' || owner === namespace || (owner === '.' && gateway.metadata.namespace === namespace);
}
