// Small protobuf values that many parts write: durations, percentages, string matchers, Istio's metadata.
import {
  type Duration,
  DurationSchema,
  type FractionalPercent,
  FractionalPercentSchema,
  FractionalPercent_DenominatorType,
  type JsonObject,
  type Metadata,
  MetadataSchema,
  type StringMatcher,
  StringMatcherSchema,
  create,
} from '@heddle/xds';
import type { ConfigObject } from '../model/config-object.js';
import { parseGoDuration } from '../schema/duration.js';
import type { StringMatch } from '../view/spec/istio.js';

export function durationOfMs(ms: number): Duration {
  const seconds = Math.trunc(ms / 1000);
  return create(DurationSchema, { seconds: BigInt(seconds), nanos: Math.round((ms - seconds * 1000) * 1e6) });
}

/** A duration as written (`1h30m`, `0.5s`); undefined when absent or unreadable. */
export function durationOf(text: string | undefined): Duration | undefined {
  const ms = text === undefined ? undefined : parseGoDuration(text);
  return ms === undefined ? undefined : durationOfMs(ms);
}

/** A percentage with Istio's resolution of a ten-thousandth. */
export function millionth(percent: number): FractionalPercent {
  const numerator = Math.trunc(percent * 10_000);
  return create(FractionalPercentSchema, { numerator, denominator: FractionalPercent_DenominatorType.MILLION });
}

export function hundredth(percent: number): FractionalPercent {
  return create(FractionalPercentSchema, {
    numerator: percent,
    denominator: FractionalPercent_DenominatorType.HUNDRED,
  });
}

export function exactMatcher(exact: string): StringMatcher {
  return create(StringMatcherSchema, { matchPattern: { case: 'exact', value: exact } });
}

export function regexMatcher(regex: string): StringMatcher {
  return create(StringMatcherSchema, { matchPattern: { case: 'safeRegex', value: { regex } } });
}

/** Istio's StringMatch as Envoy's; undefined when it says nothing. */
export function stringMatcher(match: StringMatch): StringMatcher | undefined {
  if (match.exact !== undefined) return exactMatcher(match.exact);
  if (match.prefix !== undefined)
    return create(StringMatcherSchema, { matchPattern: { case: 'prefix', value: match.prefix } });
  return match.regex === undefined ? undefined : regexMatcher(match.regex);
}

export function istioMetadata(fields: JsonObject): Metadata {
  return create(MetadataSchema, { filterMetadata: { istio: fields } });
}

/** The path by which Istio names the object that a resource was made from. */
export function configPath(object: ConfigObject, kind: string): string {
  const { name, namespace } = object.metadata;
  return `/apis/networking.istio.io/v1/namespaces/${namespace}/${kind}/${name}`;
}
