// Subsets of one DestinationRule that share a name: Envoy would get two clusters of one name.
import type { Analyzer } from '../analyzer.js';
import { messages } from '../messages.js';

export const duplicateSubsets: Analyzer = {
  name: 'duplicate-subsets',
  description: 'Names of the subsets of a DestinationRule',
  inputs: ['DestinationRule'],
  scope: 'object',
  analyze(view, report) {
    for (const object of view.all('DestinationRule')) {
      const names = (object.spec.subsets ?? []).map((subset) => subset.name);
      names.forEach((subset, index) => {
        if (names.indexOf(subset) === index) return;
        report(messages.duplicateSubset, { object, path: ['spec', 'subsets', index, 'name'] }, { subset });
      });
    }
  },
};
