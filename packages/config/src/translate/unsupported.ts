// Findings of translation: what an object asks for that is not translated. One table of codes, as in the checker.
import { type ConfigObject, type FieldPath, describeObject } from '../model/config-object.js';
import { formatFieldPath } from '../model/field-path.js';
import type { Finding, FindingLevel } from '../model/finding.js';

const MESSAGES = {
  unsupported: { code: 'HED0901', name: 'unsupported-field', level: 'warning' },
  listenerConflict: { code: 'HED0902', name: 'listener-conflict', level: 'warning' },
  customAuthorization: { code: 'HED0903', name: 'custom-authorization-denied', level: 'warning' },
  unsupportedPatch: { code: 'HED0904', name: 'unsupported-envoy-filter-patch', level: 'warning' },
  invalidPatch: { code: 'HED0905', name: 'invalid-envoy-filter-patch', level: 'error' },
  ruleDropped: { code: 'HED0906', name: 'authorization-rule-dropped', level: 'warning' },
} as const satisfies Record<string, { code: string; name: string; level: FindingLevel }>;
export type TranslationMessage = keyof typeof MESSAGES;

export type Report = (message: TranslationMessage, object: ConfigObject, path: FieldPath, text: string) => void;

export function translationFinding(
  message: TranslationMessage,
  object: ConfigObject,
  path: FieldPath,
  text: string,
): Finding {
  return {
    ...MESSAGES[message],
    message: text,
    object: describeObject(object),
    file: object.source.file,
    position: object.source.positionOf(path) ?? object.source.position,
    field: formatFieldPath(path),
  };
}
