// Gateways that VirtualServices name: they have to exist and to serve one of the hosts.
import type { FieldPath } from '../../../model/config-object.js';
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
        const path = ['spec', 'gateways', index];
        if (!gateway) report(messages.unknownGateway, { object, path }, { gateway: name });
        else checkHosts(view, { object, path, name, gateway }, report);
      });
    }
  },
};

interface Binding {
  readonly object: ObjectOf<'VirtualService'>;
  readonly path: FieldPath;
  /** As the VirtualService writes it. */
  readonly name: string;
  readonly gateway: ObjectOf<'Gateway'>;
}

function checkHosts(view: ConfigView, { object, path, name, gateway }: Binding, report: Report): void {
  const { namespace } = object.metadata;
  const served = (gateway.spec.servers ?? [])
    .flatMap((server) => server.hosts)
    .filter((host) => visibleTo(host, namespace, gateway));
  const patterns = served.map((host) => view.resolve(host.slice(host.indexOf('/') + 1), namespace));
  const hosts = object.spec.hosts ?? [];
  const isServed = (host: string) => patterns.some((pattern) => hostsOverlap(pattern, view.resolve(host, namespace)));
  if (hosts.length === 0 || hosts.some(isServed)) return;
  report(messages.hostNotInGateway, { object, path }, { gateway: name, hosts: hosts.join(', ') });
}

// A server's host may be led by the namespace whose VirtualServices may bind to it: `prod/*.example.com`, `./a.example.com`.
function visibleTo(host: string, namespace: string, gateway: ObjectOf<'Gateway'>): boolean {
  const slash = host.indexOf('/');
  if (slash < 0) return true;
  const owner = host.slice(0, slash);
  return owner === '*' || owner === namespace || (owner === '.' && gateway.metadata.namespace === namespace);
}
