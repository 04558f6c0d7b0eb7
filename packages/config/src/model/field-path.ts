// Field paths as text: `spec.http[0].route[1].weight`, `metadata.labels["app.kubernetes.io/name"]`.
import type { FieldPath } from './config-object.js';

const plainKey = /^[A-Za-z_$][\w$-]*$/;

/** Empty for the object itself. */
export function formatFieldPath(path: FieldPath): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else if (!plainKey.test(step)) text += `[${JSON.stringify(step)}]`;
    else text += text === '' ? step : `.${step}`;
  }
  return text;
}
