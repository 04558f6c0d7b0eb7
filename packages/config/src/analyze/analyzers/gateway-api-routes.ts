// Routes of Gateway API: backends that no Service has, and weights.
import type { FieldPath } from '../../model/config-object.js';
import { didYouMean } from '../../schema/nearest-name.js';
import type { Analyzer } from '../analyzer.js';
import type { ConfigView, ObjectOf } from '../config-view.js';
import { messages } from '../messages.js';
import type { Report } from '../report.js';
import { checkPercent } from '../weights.js';

const routeKinds = ['HTTPRoute', 'GRPCRoute', 'TCPRoute', 'TLSRoute', 'UDPRoute'] as const;
type Route = ObjectOf<(typeof routeKinds)[number]>;

export const gatewayApiRoutes: Analyzer = {
  name: 'gateway-api-routes',
  description: 'Parents, backends and weights of HTTPRoute, GRPCRoute, TCPRoute, TLSRoute and UDPRoute',
  inputs: [...routeKinds, 'Service', 'ServiceEntry'],
  scope: 'mesh',
  analyze(view, report) {
    for (const object of routeKinds.flatMap((kind): readonly Route[] => view.all(kind))) {
      object.spec.parentRefs?.forEach((ref, index) => {
        const isService = ref.kind === 'Service' && (ref.group ?? '') === '';
        if (isService) checkReference(view, object, ref, ['spec', 'parentRefs', index], report);
      });
      object.spec.rules?.forEach((rule, index) => {
        const path = ['spec', 'rules', index, 'backendRefs'];
        // Weights of 0 alone are legal and answered with 500 (Gateway API: BackendRef.weight).
        checkPercent({ object, path, weights: (rule.backendRefs ?? []).map(({ weight }) => weight ?? 1) }, report);
        rule.backendRefs?.forEach((ref, at) => {
          const isService = (ref.kind ?? 'Service') === 'Service' && (ref.group ?? '') === '';
          if (isService) checkReference(view, object, ref, [...path, at], report);
        });
      });
    }
  },
};

interface Reference {
  readonly name: string;
  readonly namespace?: string | undefined;
  readonly port?: number | undefined;
}

function checkReference(view: ConfigView, object: Route, ref: Reference, path: FieldPath, report: Report): void {
  const namespace = ref.namespace ?? object.metadata.namespace;
  const host = view.resolve(ref.name, namespace);
  const service = view.servicesNamed(host).find((one) => one.registry === 'kubernetes');
  const place = (field: string) => ({ object, path: [...path, field] });
  if (!service) {
    const names = view.services.filter((one) => one.namespace === namespace).map((one) => one.name);
    report(
      messages.unknownBackend,
      place('name'),
      { backend: `${namespace}/${ref.name}` },
      didYouMean(ref.name, names),
    );
    return;
  }
  const ports = service.ports.map((port) => port.number);
  if (ref.port === undefined || ports.includes(ref.port)) return;
  report(messages.unknownPort, place('port'), { host, port: ref.port, ports: ports.join(', ') || 'none' });
}
