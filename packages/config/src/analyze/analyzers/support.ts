// What an object asks for and translation does not do: whole kinds and single fields, by the tables in analyze/honoured.
import type { FieldPath } from '../../model/config-object.js';
import type { KindName } from '../../schema/spec-types.js';
import type { Analyzer } from '../analyzer.js';
import type { ObjectOf } from '../config-view.js';
import type { AnyHonoured } from '../honoured/honoured-fields.js';
import { kindSupport } from '../honoured/kinds.js';
import { messages } from '../messages.js';
import type { Report } from '../report.js';

const checked = (Object.keys(kindSupport) as KindName[]).filter((kind) => kindSupport[kind] !== 'read');

export const support: Analyzer = {
  name: 'support',
  description: 'Kinds and fields that are not translated',
  inputs: [...checked, 'RequestAuthentication'],
  scope: 'object',
  analyze(view, report) {
    for (const kind of checked) for (const object of view.all(kind)) checkObject(kind, object, report);
    for (const object of view.all('RequestAuthentication'))
      report(messages.tokensNotVerified, { object, path: ['spec', 'jwtRules'] }, {});
    for (const object of view.all('HTTPRoute')) checkExperimental(object, report);
  },
};

function checkObject(kind: KindName, object: ObjectOf<KindName>, report: Report): void {
  const known = kindSupport[kind];
  if (known === 'read') return;
  const place = { object, path: ['kind'] };
  if ('notYet' in known) report(messages.unsupportedKind, place, { kind: object.kind, effect: known.notYet });
  else if ('isFor' in known) report(messages.notForServices, place, { kind: object.kind, subject: known.isFor });
  else if ('fields' in known) checkFields(known.fields, object.spec, ['spec'], object, report);
  else {
    const spec: object = object.spec;
    for (const [field, effect] of Object.entries(known.unsupported))
      if (field in spec) report(messages.unsupportedField, { object, path: ['spec', field] }, { effect });
  }
}

function checkFields(
  table: AnyHonoured | undefined,
  value: unknown,
  path: FieldPath,
  object: ObjectOf<KindName>,
  report: Report,
): void {
  if (table === true || isUnset(value)) return;
  if (typeof table === 'object') {
    if (Array.isArray(value)) {
      value.forEach((entry: unknown, index) => checkFields(table, entry, [...path, index], object, report));
    } else if (typeof value === 'object' && value !== null) {
      for (const [field, child] of Object.entries(value))
        if (Object.hasOwn(table, field)) checkFields(table[field], child, [...path, field], object, report);
    }
    return;
  }
  const effect = typeof table === 'function' ? table(value) : table;
  if (effect !== undefined) report(messages.unsupportedField, { object, path }, { effect });
}

/** Nothing is asked by null, an empty text or an empty list. */
function isUnset(value: unknown): boolean {
  return value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0);
}

function checkExperimental(object: ObjectOf<'HTTPRoute'>, report: Report): void {
  object.spec.rules?.forEach((rule, index) => {
    if (rule.retry === undefined) return;
    report(messages.experimentalField, { object, path: ['spec', 'rules', index, 'retry'] }, { api: 'Gateway API' });
  });
}
