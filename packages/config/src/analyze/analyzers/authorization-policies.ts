// AuthorizationPolicies whose sources can never match: malformed principals, empty values, namespaces that do not exist.
import type { FieldPath } from '../../model/config-object.js';
import type { Analyzer } from '../analyzer.js';
import type { ObjectOf } from '../config-view.js';
import { messages } from '../messages.js';
import type { Report } from '../report.js';
import { didYouMean } from '../../schema/nearest-name.js';

export const authorizationPolicies: Analyzer = {
  name: 'authorization-policies',
  description: 'Principals and namespaces that AuthorizationPolicies name',
  inputs: ['AuthorizationPolicy', 'Namespace'],
  scope: 'mesh',
  analyze(view, report) {
    const namespaces = view.all('Namespace').map((object) => object.metadata.name);
    for (const object of view.all('AuthorizationPolicy')) {
      object.spec.rules?.forEach((rule, index) => {
        rule.from?.forEach(({ source }, at) => {
          const path = ['spec', 'rules', index, 'from', at, 'source'];
          for (const [field, values] of Object.entries(source ?? {})) {
            (values as readonly string[] | undefined)?.forEach((value, entry) =>
              checkValue({ object, path: [...path, field, entry] }, field, value, namespaces, report),
            );
          }
        });
        rule.to?.forEach(({ operation }, at) =>
          checkEmpty(object, operation, ['spec', 'rules', index, 'to', at, 'operation'], report),
        );
      });
    }
  },
};

interface Place {
  readonly object: ObjectOf<'AuthorizationPolicy'>;
  readonly path: FieldPath;
}

function checkValue(place: Place, field: string, value: string, namespaces: readonly string[], report: Report): void {
  if (value === '') report(messages.emptyMatchValue, place, {});
  else if (field === 'principals' || field === 'notPrincipals') checkPrincipal(place, value, report);
  // Without any Namespace object the list of namespaces is unknown, not empty.
  else if ((field === 'namespaces' || field === 'notNamespaces') && namespaces.length > 0) {
    if (namespaces.some((name) => patternMatches(value, name))) return;
    report(messages.unknownNamespace, place, { namespace: value }, didYouMean(value, namespaces));
  }
}

// Istio: exact, prefix (`abc*`), suffix (`*abc`) and presence (`*`) matches.
function checkPrincipal(place: Place, principal: string, report: Report): void {
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

function patternMatches(pattern: string, name: string): boolean {
  if (pattern.startsWith('*')) return name.endsWith(pattern.slice(1));
  if (pattern.endsWith('*')) return name.startsWith(pattern.slice(0, -1));
  return pattern.toLowerCase() === name.toLowerCase();
}

function checkEmpty(object: Place['object'], operation: object | undefined, path: FieldPath, report: Report): void {
  for (const [field, values] of Object.entries(operation ?? {})) {
    (values as readonly string[] | undefined)?.forEach((value, entry) => {
      if (value === '') report(messages.emptyMatchValue, { object, path: [...path, field, entry] }, {});
    });
  }
}
