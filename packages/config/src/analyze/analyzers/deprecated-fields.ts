// Fields that still work but that Istio means to remove.
import type { FieldPath } from '../../model/config-object.js';
import type { KindName } from '../../schema/spec-types.js';
import type { Analyzer } from '../analyzer.js';
import { messages } from '../messages.js';

interface Deprecated {
  readonly kind: KindName;
  /** `*` stands for every entry of a list or map. */
  readonly path: readonly string[];
  readonly instead: string;
}

// Istio: [deprecated] marks of the API, as its own analyzer lists them.
const deprecated: readonly Deprecated[] = [
  { kind: 'VirtualService', path: ['http', '*', 'fault', 'delay', 'percent'], instead: 'use percentage' },
  { kind: 'VirtualService', path: ['http', '*', 'mirrorPercent'], instead: 'use mirrorPercentage' },
  { kind: 'VirtualService', path: ['http', '*', 'mirror_percent'], instead: 'use mirrorPercentage' },
  { kind: 'VirtualService', path: ['http', '*', 'corsPolicy', 'allowOrigin'], instead: 'use allowOrigins' },
  {
    kind: 'DestinationRule',
    path: ['trafficPolicy', 'outlierDetection', 'consecutiveErrors'],
    instead: 'use consecutive5xxErrors',
  },
  {
    kind: 'DestinationRule',
    path: ['subsets', '*', 'trafficPolicy', 'outlierDetection', 'consecutiveErrors'],
    instead: 'use consecutive5xxErrors',
  },
  { kind: 'Sidecar', path: ['outboundTrafficPolicy', 'egressProxy'], instead: 'name the gateway in a VirtualService' },
  { kind: 'RequestAuthentication', path: ['jwtRules', '*', 'jwks_uri'], instead: 'use jwksUri' },
];

export const deprecatedFields: Analyzer = {
  name: 'deprecated-fields',
  description: 'Fields that Istio has deprecated',
  inputs: [...new Set(deprecated.map(({ kind }) => kind))],
  scope: 'object',
  analyze(view, report) {
    for (const { kind, path, instead } of deprecated) {
      for (const object of view.all(kind)) {
        for (const found of findPaths(object.spec, path, ['spec']))
          report(messages.deprecatedField, { object, path: found }, { instead });
      }
    }
  },
};

function findPaths(value: unknown, pattern: readonly string[], at: FieldPath): FieldPath[] {
  const [step, ...rest] = pattern;
  if (step === undefined) return value === undefined || value === null ? [] : [at];
  if (typeof value !== 'object' || value === null) return [];
  if (step === '*') {
    const entries: [string | number, unknown][] = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
    return entries.flatMap(([key, child]) => findPaths(child, rest, [...at, key]));
  }
  return findPaths((value as Readonly<Record<string, unknown>>)[step], rest, [...at, step]);
}
