// Regular expressions in matches and rewrites: Envoy takes RE2 syntax, which lacks look-around and back references.
import type { FieldPath } from '../../model/config-object.js';
import { describeValue } from '../../schema/describe-value.js';
import type { Analyzer } from '../analyzer.js';
import { messages } from '../messages.js';
import { re2Fault } from '../re2-syntax.js';

export const regexes: Analyzer = {
  name: 'regexes',
  description: 'Syntax of regular expressions',
  inputs: ['VirtualService', 'HTTPRoute', 'GRPCRoute'],
  scope: 'object',
  analyze(view, report) {
    for (const object of [...view.all('VirtualService'), ...view.all('HTTPRoute'), ...view.all('GRPCRoute')]) {
      for (const { text, path } of patternsOf(object.spec, ['spec'])) {
        const reason = re2Fault(text);
        if (reason !== undefined) report(messages.badRegex, { object, path }, { got: describeValue(text), reason });
      }
    }
  },
};

interface Found {
  readonly text: string;
  readonly path: FieldPath;
}

function patternsOf(value: unknown, path: FieldPath): Found[] {
  if (Array.isArray(value)) return value.flatMap((child, index) => patternsOf(child, [...path, index]));
  if (typeof value !== 'object' || value === null) return [];
  const fields = value as Readonly<Record<string, unknown>>;
  // Gateway API says by `type` what its texts are; Istio by the field.
  const regexFields = fields['type'] === 'RegularExpression' ? ['value', 'service', 'method'] : ['regex'];
  return Object.entries(fields).flatMap(([key, child]) => {
    const isPattern = regexFields.includes(key) || (key === 'match' && path.at(-1) === 'uriRegexRewrite');
    if (isPattern && typeof child === 'string') return [{ text: child, path: [...path, key] }];
    return patternsOf(child, [...path, key]);
  });
}
