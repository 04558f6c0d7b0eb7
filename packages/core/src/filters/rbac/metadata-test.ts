// Matching of dynamic or route metadata, such as JWT claims (Envoy: MetadataMatcher, ValueMatcher).
import type { DoubleMatcher, ListMatcher, MetadataMatcher, ValueMatcher } from '@heddle/xds';
import { compileStringMatcher } from '../../matching/string-matcher.js';
import { configFault, withPath } from '../filter-config.js';

type Metadata = Readonly<Record<string, unknown>> | undefined;
type ValueTest = (value: unknown) => boolean;

/** Throws MeshError CONFIG_INVALID naming the field. */
export function compileMetadataTest(matcher: MetadataMatcher): (metadata: Metadata) => boolean {
  if (matcher.filter === '') throw configFault('filter', 'must not be empty');
  if (matcher.path.length === 0) throw configFault('path', 'must have at least one segment');
  const keys = matcher.path.map(({ segment }, i) => {
    if (segment.case !== 'key' || segment.value === '') throw configFault(`path[${i}]`, 'key must not be empty');
    return segment.value;
  });
  const test = withPath('value', () => compileValue(matcher.value));
  return (metadata) => test(valueAt(own(metadata, matcher.filter), keys)) !== matcher.invert;
}

function valueAt(root: unknown, keys: readonly string[]): unknown {
  let value = root;
  for (const key of keys) value = own(value, key);
  return value;
}

/** Own members only, so that a claim named `constructor` is not found where none was sent. */
function own(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || !Object.hasOwn(value, key))
    return undefined;
  return (value as Record<string, unknown>)[key];
}

function compileValue(matcher: ValueMatcher | undefined): ValueTest {
  const pattern = matcher?.matchPattern;
  switch (pattern?.case) {
    case 'nullMatch':
      return (value) => value === null;
    case 'doubleMatch':
      return compileDouble(pattern.value);
    case 'stringMatch': {
      const text = compileStringMatcher(pattern.value);
      return (value) => typeof value === 'string' && text.matches(value);
    }
    case 'boolMatch':
      return (value) => value === pattern.value;
    case 'presentMatch':
      return (value) => (value !== undefined) === pattern.value;
    case 'listMatch':
      return compileList(pattern.value);
    case 'orMatch': {
      const tests = pattern.value.valueMatchers.map(compileValue);
      return (value) => tests.some((test) => test(value));
    }
    case undefined:
      throw configFault('match_pattern', 'must be set');
  }
}

function compileList(matcher: ListMatcher): ValueTest {
  if (matcher.matchPattern.case === undefined) throw configFault('list_match', 'one_of must be set');
  const test = compileValue(matcher.matchPattern.value);
  return (value) => Array.isArray(value) && value.some(test);
}

function compileDouble(matcher: DoubleMatcher): ValueTest {
  const pattern = matcher.matchPattern;
  switch (pattern.case) {
    case 'exact':
      return (value) => value === pattern.value;
    case 'range': {
      const { start, end } = pattern.value;
      return (value) => typeof value === 'number' && value >= start && value < end;
    }
    case undefined:
      throw configFault('double_match', 'must be set');
  }
}
