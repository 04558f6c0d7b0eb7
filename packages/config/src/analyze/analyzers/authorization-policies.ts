// AuthorizationPolicies whose sources can never match: malformed principals and empty values.
import type { FieldPath } from '../../model/config-object.js';
import type { Analyzer } from '../analyzer.js';
import type { ObjectOf } from '../config-view.js';
import { messages } from '../messages.js';
import type { Report } from '../report.js';

const principalFields = ['principals', 'notPrincipals'];

type Policy = ObjectOf<'AuthorizationPolicy'>;

export const authorizationPolicies: Analyzer = {
  name: 'authorization-policies',
  description: 'Principals and values that AuthorizationPolicies match',
  inputs: ['AuthorizationPolicy'],
  scope: 'object',
  analyze(view, report) {
    for (const object of view.all('AuthorizationPolicy')) {
      object.spec.rules?.forEach((rule, index) => {
        const path = ['spec', 'rules', index];
        rule.from?.forEach(({ source }, at) => checkLists(object, source, [...path, 'from', at, 'source'], report));
        rule.to?.forEach(({ operation }, at) =>
          checkLists(object, operation, [...path, 'to', at, 'operation'], report),
        );
      });
    }
  },
};

function checkLists(object: Policy, lists: object | undefined, path: FieldPath, report: Report): void {
  for (const [field, values] of Object.entries(lists ?? {})) {
    // An unknown field may hold anything.
    if (!Array.isArray(values)) continue;
    for (const [entry, value] of (values as readonly unknown[]).entries()) {
      const place = { object, path: [...path, field, entry] };
      if (value === '') report(messages.emptyMatchValue, place, {});
      else if (typeof value === 'string' && principalFields.includes(field)) checkPrincipal(place, value, report);
    }
  }
}

// Istio: exact, prefix (`abc*`), suffix (`*abc`) and presence (`*`) matches.
function checkPrincipal(place: { object: Policy; path: FieldPath }, principal: string, report: Report): void {
  if (principal.startsWith('*') || principal.endsWith('*')) return;
  if (/^[^/]+\/ns\/[^/]+\/sa\/[^/]+$/.test(principal)) return;
  const bare = principal.startsWith('spiffe://') ? principal.slice('spiffe://'.length) : undefined;
  report(
    messages.badPrincipal,
    place,
    { principal },
    bare === undefined ? undefined : `write \`${bare}\` without the scheme`,
  );
}
