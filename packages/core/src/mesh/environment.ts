// The environment as options: one table, a row a variable (design §1). Reading it is a pure function of the given record.
import { MeshError } from '../errors.js';
import type { IdentityOption, LogLevel, MeshOptions, ServiceOptions } from './mesh-options.js';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Every variable that Heddle reads, for documentation and `heddle doctor`. */
export const ENVIRONMENT_VARIABLES = [
  ['HEDDLE_FEED', 'feed'],
  ['HEDDLE_SERVICE', 'service.name'],
  ['HEDDLE_NAMESPACE', 'service.namespace'],
  ['POD_NAMESPACE', 'service.namespace'],
  ['HEDDLE_LABELS', 'service.labels'],
  ['ISTIO_METAJSON_LABELS', 'service.labels'],
  ['SERVICE_ACCOUNT', 'service.serviceAccount'],
  ['HEDDLE_LOCALITY', 'locality'],
  ['INSTANCE_IP', 'instanceIp'],
  ['POD_NAME', 'podName'],
  ['ISTIO_META_CLUSTER_ID', 'clusterId'],
  ['HEDDLE_IDENTITY', 'identity'],
  ['CA_ADDR', 'caAddress'],
  ['HEDDLE_TOKEN_FILE', 'tokenFile'],
  ['HEDDLE_ROOT_CERT_FILE', 'rootCertFile'],
  ['HEDDLE_RETRY_NON_IDEMPOTENT', 'retryNonIdempotent'],
  ['HEDDLE_ADMIN', 'admin'],
  ['HEDDLE_HEALTH', 'healthPort'],
  ['HEDDLE_LOG', 'log'],
  ['HEDDLE_ACCESS_LOG', 'accessLog'],
] as const;

const LOG_LEVELS: readonly string[] = ['debug', 'info', 'warn', 'error', 'silent'];
const IDENTITY_KINDS: readonly string[] = ['istio-ca', 'heddle-ca', 'workload-api', 'none'];

/** Options as the environment gives them. Throws MeshError CONFIG_INVALID naming the variable. */
export function optionsFromEnvironment(env: Environment): MeshOptions {
  const value = (name: string): string | undefined => (env[name] === '' ? undefined : env[name]);
  const feeds = value('HEDDLE_FEED')
    ?.split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
  return defined<MeshOptions>({
    service: serviceFrom(env, value),
    feed: feeds === undefined || feeds.length === 0 ? undefined : feeds,
    identity: identityFrom(value('HEDDLE_IDENTITY')),
    locality: value('HEDDLE_LOCALITY'),
    instanceIp: value('INSTANCE_IP'),
    podName: value('POD_NAME'),
    clusterId: value('ISTIO_META_CLUSTER_ID'),
    caAddress: value('CA_ADDR'),
    tokenFile: value('HEDDLE_TOKEN_FILE'),
    rootCertFile: value('HEDDLE_ROOT_CERT_FILE'),
    retryNonIdempotent: flagFrom('HEDDLE_RETRY_NON_IDEMPOTENT', value('HEDDLE_RETRY_NON_IDEMPOTENT')),
    admin: value('HEDDLE_ADMIN'),
    healthPort: portFrom('HEDDLE_HEALTH', value('HEDDLE_HEALTH')),
    log: logFrom(value('HEDDLE_LOG')),
    accessLog: flagFrom('HEDDLE_ACCESS_LOG', value('HEDDLE_ACCESS_LOG')),
  });
}

function serviceFrom(env: Environment, value: (name: string) => string | undefined): ServiceOptions {
  return defined<ServiceOptions>({
    name: value('HEDDLE_SERVICE'),
    namespace: value('HEDDLE_NAMESPACE') ?? value('POD_NAMESPACE'),
    labels: labelsFrom(value('HEDDLE_LABELS')) ?? jsonLabelsFrom(env['ISTIO_METAJSON_LABELS']),
    serviceAccount: value('SERVICE_ACCOUNT'),
  });
}

function labelsFrom(text: string | undefined): Record<string, string> | undefined {
  if (text === undefined) return undefined;
  const labels: [string, string][] = [];
  for (const pair of text.split(',')) {
    if (pair.trim() === '') continue;
    const equals = pair.indexOf('=');
    if (equals <= 0)
      throw invalid('HEDDLE_LABELS', `expected key=value pairs like "app=details,version=v1", got "${pair}"`);
    labels.push([pair.slice(0, equals).trim(), pair.slice(equals + 1).trim()]);
  }
  return Object.fromEntries(labels);
}

function jsonLabelsFrom(text: string | undefined): Record<string, string> | undefined {
  if (text === undefined || text === '') return undefined;
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw invalid('ISTIO_METAJSON_LABELS', 'expected a JSON object of labels', cause);
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw invalid('ISTIO_METAJSON_LABELS', 'expected a JSON object of labels');
  }
  return Object.fromEntries(Object.entries(parsed).map(([key, label]) => [key, String(label)]));
}

function identityFrom(text: string | undefined): IdentityOption | undefined {
  if (text === undefined) return undefined;
  if (IDENTITY_KINDS.includes(text) || /^files:./.test(text)) return text as IdentityOption;
  throw invalid('HEDDLE_IDENTITY', `expected one of ${IDENTITY_KINDS.join(', ')} or files:DIR, got "${text}"`);
}

function flagFrom(name: string, text: string | undefined): boolean | undefined {
  if (text === undefined) return undefined;
  if (text === '1' || text === 'true') return true;
  if (text === '0' || text === 'false') return false;
  throw invalid(name, `expected 1 or 0, got "${text}"`);
}

function portFrom(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw invalid(name, `expected a port number, got "${text}"`);
}

function logFrom(text: string | undefined): LogLevel | undefined {
  if (text === undefined) return undefined;
  if (LOG_LEVELS.includes(text)) return text as LogLevel;
  throw invalid('HEDDLE_LOG', `expected one of ${LOG_LEVELS.join(', ')}, got "${text}"`);
}

function invalid(variable: string, reason: string, cause?: unknown): MeshError {
  return new MeshError('CONFIG_INVALID', `${variable}: ${reason}`, { resource: variable, cause });
}

/** Drops undefined entries, so that "not set" and "set to undefined" are one thing. */
function defined<Shape extends object>(fields: { [Key in keyof Shape]: Shape[Key] | undefined }): Shape {
  return Object.fromEntries(Object.entries(fields).filter(([, field]) => field !== undefined)) as Shape;
}
