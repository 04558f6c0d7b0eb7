// Ports whose protocol is unknown or disputed: names of Service ports, addresses and protocols of ServiceEntries.
import { describeObject } from '../../model/config-object.js';
import type { ServicePort } from '../../schema/kubernetes-types.js';
import { exportedTo } from '../../view/destination-rules.js';
import { kubernetesPortProtocol } from '../../view/port-protocol.js';
import type { Analyzer } from '../analyzer.js';
import type { ConfigView, ObjectOf } from '../config-view.js';
import { messages } from '../messages.js';
import type { Report } from '../report.js';

export const servicePorts: Analyzer = {
  name: 'service-ports',
  description: 'Protocols of the ports of Services and ServiceEntries',
  inputs: ['Service', 'ServiceEntry'],
  scope: 'mesh',
  analyze(view, report) {
    for (const object of view.all('Service')) {
      if (systemNamespaces.includes(object.metadata.namespace)) continue;
      object.spec.ports?.forEach((port, index) => checkServicePort(object, port, index, report));
    }
    for (const object of view.all('ServiceEntry')) checkAddresses(object, report);
    checkProtocols(view, report);
  },
};

// Their services are not the user's to rename (Istio: constants.SystemNamespaces).
const systemNamespaces = ['kube-system', 'kube-public', 'kube-node-lease', 'local-path-storage', 'istio-system'];
const protocols = [
  'http',
  'http2',
  'h2c',
  'grpc',
  'grpc-web',
  'https',
  'tls',
  'tcp',
  'udp',
  'mongo',
  'mysql',
  'redis',
  'kubernetes.io/h2c',
  'kubernetes.io/ws',
  'kubernetes.io/wss',
];

function checkServicePort(object: ObjectOf<'Service'>, port: ServicePort, index: number, report: Report): void {
  const path = ['spec', 'ports', index];
  const { appProtocol, name = '' } = port;
  if (appProtocol !== undefined) {
    // Other names with a domain are private to the application (Kubernetes: appProtocol).
    if (protocols.includes(appProtocol.toLowerCase()) || appProtocol.includes('/')) return;
    report(messages.unknownProtocol, { object, path: [...path, 'appProtocol'] }, { protocol: appProtocol });
    return;
  }
  if ((port.protocol ?? 'TCP') !== 'TCP') return;
  const external = object.spec.type === 'ExternalName';
  const catchesAll = external && ['tcp', 'auto'].includes(kubernetesPortProtocol({ name }));
  if (!catchesAll && followsConvention(name)) return;
  const label = name === '' ? port.port : `${name} (${port.port})`;
  const place = { object, path: name === '' ? path : [...path, 'name'] };
  report(external ? messages.externalNamePort : messages.portNameConvention, place, { port: label });
}

function followsConvention(name: string): boolean {
  const lower = name.toLowerCase();
  return protocols.some((protocol) => lower === protocol || lower.startsWith(`${protocol}-`));
}

function checkAddresses({ spec, ...rest }: ObjectOf<'ServiceEntry'>, report: Report): void {
  const object = { spec, ...rest };
  if ((spec.addresses ?? []).length > 0) return;
  spec.ports?.forEach((port, index) => {
    const protocol = port.protocol ?? '';
    const byAddress = protocol === '' || protocol.toUpperCase() === 'TCP';
    if (!byAddress) return;
    const shown = protocol === '' ? 'a port without protocol' : protocol;
    report(
      messages.addressesRequired,
      { object, path: ['spec', 'ports', index] },
      { protocol: shown, port: port.number },
    );
  });
}

function checkProtocols(view: ConfigView, report: Report): void {
  const byHostAndPort = new Map<
    string,
    { object: ObjectOf<'ServiceEntry'>; protocol: string; path: (string | number)[] }[]
  >();
  for (const object of view.all('ServiceEntry')) {
    for (const host of object.spec.hosts) {
      object.spec.ports?.forEach((port, index) => {
        const key = `${host} ${port.number}`;
        const one = { object, protocol: (port.protocol ?? '').toUpperCase(), path: ['spec', 'ports', index] };
        byHostAndPort.set(key, [...(byHostAndPort.get(key) ?? []), one]);
      });
    }
  }
  for (const [key, entries] of byHostAndPort) {
    const [host = '', port = ''] = key.split(' ');
    for (const entry of entries) {
      const rivals = entries.filter((other) => other.protocol !== entry.protocol && meet(entry.object, other.object));
      if (rivals.length === 0) continue;
      const others = rivals.map((rival) => describeObject(rival.object)).join(', ');
      const seen = [entry, ...rivals].map((one) => one.protocol || 'none').join(' and ');
      report(messages.conflictingProtocol, entry, { others, host, port, protocols: seen });
    }
  }
}

// Some namespace sees both.
function meet(a: ObjectOf<'ServiceEntry'>, b: ObjectOf<'ServiceEntry'>): boolean {
  const scopes = (object: typeof a) =>
    (object.spec.exportTo ?? ['*']).map((scope) => (scope === '.' ? object.metadata.namespace : scope));
  return (
    scopes(a).some((scope) => scope === '*' || exportedTo(b.spec.exportTo, b.metadata.namespace, scope)) ||
    scopes(b).includes('*')
  );
}
