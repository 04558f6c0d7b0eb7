// Routes of a VirtualService that make no sense by themselves: weights, and rules without or with too many actions.
import type { FieldPath } from '../../../model/config-object.js';
import type { VirtualServiceHttp } from '../../../schema/gen/virtual-service.js';
import type { Analyzer } from '../../analyzer.js';
import type { ObjectOf } from '../../config-view.js';
import { messages } from '../../messages.js';
import type { Report } from '../../report.js';
import { checkWeights } from '../../weights.js';

export const virtualServiceRoutes: Analyzer = {
  name: 'virtual-service-routes',
  description: 'Weights of VirtualService destinations, and what a rule does',
  inputs: ['VirtualService'],
  scope: 'object',
  analyze(view, report) {
    for (const object of view.all('VirtualService')) {
      object.spec.http?.forEach((rule, index) => checkHttp(object, rule, ['spec', 'http', index], report));
      for (const protocol of ['tcp', 'tls'] as const) {
        object.spec[protocol]?.forEach((rule, index) => {
          const path = ['spec', protocol, index];
          if (!rule.route?.length) report(messages.routeWithoutAction, { object, path }, { actions: 'route' });
          else checkWeights({ object, path: [...path, 'route'], weights: weightsOf(rule.route) }, report);
        });
      }
    }
  },
};

function checkHttp(
  object: ObjectOf<'VirtualService'>,
  rule: VirtualServiceHttp,
  path: FieldPath,
  report: Report,
): void {
  const actions = (['route', 'redirect', 'directResponse'] as const).filter((action) =>
    action === 'route' ? (rule.route?.length ?? 0) > 0 : rule[action] !== undefined,
  );
  const known = 'route, redirect, directResponse';
  // A delegate brings its own rules.
  if (actions.length === 0 && rule.delegate === undefined)
    report(messages.routeWithoutAction, { object, path }, { actions: `${known}, delegate` });
  if (actions.length > 1)
    report(messages.conflictingActions, { object, path }, { actions: known, got: actions.join(' and ') });
  if (rule.route) checkWeights({ object, path: [...path, 'route'], weights: weightsOf(rule.route) }, report);
}

// A single destination needs no weight; beside others, a missing weight is 0.
function weightsOf(route: readonly { readonly weight?: number | undefined }[]): readonly number[] {
  return route.map(({ weight }) => weight ?? (route.length === 1 ? 100 : 0));
}
