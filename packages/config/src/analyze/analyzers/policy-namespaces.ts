// Namespaces that AuthorizationPolicies name and that do not exist.
import { didYouMean } from '../../schema/nearest-name.js';
import type { Analyzer } from '../analyzer.js';
import { messages } from '../messages.js';

export const policyNamespaces: Analyzer = {
  name: 'policy-namespaces',
  description: 'Namespaces that AuthorizationPolicies match',
  inputs: ['AuthorizationPolicy', 'Namespace'],
  scope: 'mesh',
  analyze(view, report) {
    const namespaces = view.all('Namespace').map((object) => object.metadata.name);
    for (const object of view.all('AuthorizationPolicy')) {
      // Without any Namespace object the list of namespaces is unknown, not empty.
      if (namespaces.length === 0) return;
      object.spec.rules?.forEach((rule, index) =>
        rule.from?.forEach(({ source }, at) => {
          for (const field of ['namespaces', 'notNamespaces'] as const) {
            source?.[field]?.forEach((namespace, entry) => {
              if (namespace === '' || namespaces.some((name) => patternMatches(namespace, name))) return;
              const path = ['spec', 'rules', index, 'from', at, 'source', field, entry];
              report(messages.unknownNamespace, { object, path }, { namespace }, didYouMean(namespace, namespaces));
            });
          }
        }),
      );
    }
  },
};

function patternMatches(pattern: string, name: string): boolean {
  if (pattern.startsWith('*')) return name.endsWith(pattern.slice(1));
  if (pattern.endsWith('*')) return name.startsWith(pattern.slice(0, -1));
  return pattern.toLowerCase() === name.toLowerCase();
}
