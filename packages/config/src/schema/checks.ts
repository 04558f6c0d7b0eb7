// The checks that CRDs write in CEL (x-kubernetes-validations), by the name that the recipe gives them. A check sees a value whose
// type is right and returns what is wrong with it.
import type { Message } from '../analyze/messages.js';
import { messages } from '../analyze/messages.js';
import type { FieldPath } from '../model/config-object.js';
import { describeValue } from './describe-value.js';
import { parseGatewayDuration, parseGoDuration } from './duration.js';

export interface Problem {
  readonly message: Message;
  readonly args: Readonly<Record<string, string | number>>;
  /** Below the checked value. */
  readonly at?: FieldPath;
}

type Fields = Readonly<Record<string, unknown>>;
type Check = (value: never, args: readonly string[]) => readonly Problem[];

export function runCheck(name: string, args: readonly string[], value: unknown): readonly Problem[] {
  const check = checks[name];
  return check ? check(value as never, args) : [];
}

const bad = (problem: string, at?: FieldPath): Problem => ({
  message: messages.badValue,
  args: { problem },
  ...(at && { at }),
});
const when = (wrong: boolean, problem: string, at?: FieldPath): readonly Problem[] => (wrong ? [bad(problem, at)] : []);
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const fields = (value: unknown): Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
const isPort = (key: string) => /^\d+$/.test(key) && Number(key) > 0 && Number(key) <= 65535;

/** Exported for the test that every check named by a schema exists. */
export const checks: Readonly<Record<string, Check>> = {
  duration: (value: string) => {
    const ms = parseGoDuration(value);
    if (ms === undefined) return [badDuration('a duration like 10s', value)];
    return ms < 1 ? [badDuration('a duration of at least 1ms', value)] : [];
  },
  gatewayDuration: (value: string) =>
    parseGatewayDuration(value) === undefined ? [badDuration('a duration like 10s, 500ms or 1m30s', value)] : [],
  onlyForType: (value: Fields, [field = '', type = '']) =>
    when(field in value && value['type'] !== type, `${field} is only allowed with type ${type}`, [field]),
  neededForType: (value: Fields, [field = '', type = '']) =>
    when(!(field in value) && value['type'] === type, `type ${type} needs ${field}`),
  filterNotRepeated: (value: readonly unknown[], [type = '']) =>
    when(
      value.filter((filter) => fields(filter)['type'] === type).length > 1,
      `the filter ${type} may occur only once`,
    ),
  exactlyOneOf: (value: Fields, names) =>
    when(names.filter((name) => name in value).length !== 1, `exactly one of ${names.join(', ')} is needed`),
  gatewayPath: (value: Fields) => gatewayPath(value),
  starAlone: (value: readonly unknown[]) => when(value.includes('*') && value.length > 1, '`*` has to stand alone'),
  prefixRewriteNeedsPrefixMatch: (rule: Fields) => prefixRewrite(rule),
  notStar: (value: string) => when(value === '*', 'the bare wildcard `*` is not allowed here'),
  noWildcard: (value: string) => when(value.includes('*'), 'wildcards are not allowed in labels'),
  keysWithoutWildcard: (value: Fields) =>
    when(
      Object.keys(value).some((key) => key.includes('*')),
      'wildcards are not allowed in labels',
    ),
  keysNotEmpty: (value: Fields) => when('' in value, 'a label needs a name'),
  keysArePorts: (value: Fields) =>
    Object.keys(value).flatMap((key) => when(!isPort(key), 'a port is a number from 1 to 65535', [key])),
  mustBeEmpty: (value: string) => when(value.length > 0, 'references across namespaces are not possible'),
  httpUrl: (value: string) =>
    when(!/^https?:\/\/[^/]+/.test(value), 'expected a URL that starts with http:// or https://'),
  addressOrNetwork: (value: Fields) => when(!('address' in value) && !('network' in value), 'an address is required'),
  unixAddress: (value: string) =>
    when(
      value.startsWith('unix://') && (!/^unix:\/\/[/@]/.test(value) || value.endsWith('/')),
      'expected an absolute socket path',
    ),
  portNumbersUnique: (ports: readonly unknown[]) => repeatedPorts(ports),
  endpointsFitResolution: (value: Fields) => endpointsFitResolution(value),
  serviceAccountsAlone: (value: Fields) => {
    const others = ['principals', 'notPrincipals', 'namespaces', 'notNamespaces'].filter((name) => name in value);
    const has = 'serviceAccounts' in value || 'notServiceAccounts' in value;
    return when(has && others.length > 0, `serviceAccounts cannot be combined with ${others.join(', ')}`);
  },
  portLevelNeedsSelector: (value: Fields) => {
    const labels = fields(fields(value['selector'])['matchLabels']);
    const lacking = 'portLevelMtls' in value && Object.keys(labels).length === 0;
    return lacking ? [{ message: messages.portLevelWithoutSelector, args: {}, at: ['portLevelMtls'] }] : [];
  },
  tagOverrideValue: (value: Fields) => [
    ...when(value['operation'] === 'UPSERT' && (value['value'] ?? '') === '', 'UPSERT needs a value'),
    ...when(value['operation'] === 'REMOVE' && 'value' in value, 'REMOVE takes no value', ['value']),
  ],
  waypointMatch: (value: Fields) =>
    when(
      (value['context'] === 'WAYPOINT') !== 'waypoint' in value,
      'waypoint goes with context WAYPOINT and with no other',
    ),
  grpcMethodMatch: (value: Fields) =>
    when('type' in value && !('service' in value) && !('method' in value), 'service or method is needed'),
  backendRequestWithinRequest: (value: Fields) => {
    const [request, attempt] = ['request', 'backendRequest'].map((name) => {
      const text = value[name];
      return typeof text === 'string' ? parseGatewayDuration(text) : undefined;
    });
    const longer = request !== undefined && attempt !== undefined && request !== 0 && attempt > request;
    return when(longer, 'backendRequest cannot be longer than request', ['backendRequest']);
  },
  redirectWithoutBackends: (rule: Fields) => {
    const redirect = list(rule['filters']).some((filter) => 'requestRedirect' in fields(filter));
    return when(
      redirect && list(rule['backendRefs']).length > 0,
      'a RequestRedirect filter cannot be combined with backendRefs',
    );
  },
  redirectOrRewrite: (value: readonly unknown[]) => {
    const types = value.map((filter) => fields(filter)['type']);
    return when(
      types.includes('RequestRedirect') && types.includes('URLRewrite'),
      'only one of RequestRedirect and URLRewrite is possible',
    );
  },
  serviceNeedsPort: (ref: Fields) =>
    when(
      (ref['group'] ?? '') === '' && (ref['kind'] ?? 'Service') === 'Service' && !('port' in ref),
      'a Service needs a port',
    ),
  fractionAtMostOne: (value: Fields) =>
    when(Number(value['numerator']) > Number(value['denominator'] ?? 100), 'numerator cannot exceed denominator'),
};

function badDuration(expected: string, value: string): Problem {
  return { message: messages.badDuration, args: { expected, got: describeValue(value) } };
}

function gatewayPath(match: Fields): readonly Problem[] {
  const type = match['type'] ?? 'PathPrefix';
  const value = match['value'] ?? '/';
  if (type === 'RegularExpression' || typeof value !== 'string') return [];
  if (!value.startsWith('/')) return [bad('a path starts with /', ['value'])];
  const forbidden = ['//', '/./', '/../', '%2f', '%2F', '#'].find((part) => value.includes(part));
  if (forbidden !== undefined) return [bad(`a path cannot contain ${forbidden}`, ['value'])];
  if (/\/\.\.?$/.test(value)) return [bad('a path cannot end in a dot segment', ['value'])];
  const legal = /^(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|%[0-9a-fA-F]{2})+$/.test(value);
  return when(!legal, 'the path holds characters that have to be percent-encoded', ['value']);
}

function prefixRewrite(rule: Fields): readonly Problem[] {
  const filters = [
    ...list(rule['filters']),
    ...list(rule['backendRefs']).flatMap((ref) => list(fields(ref)['filters'])),
  ];
  const rewrites = filters.some((filter) =>
    ['urlRewrite', 'requestRedirect'].some(
      (name) => 'replacePrefixMatch' in fields(fields(fields(filter)[name])['path']),
    ),
  );
  const matches = list(rule['matches']);
  const path = fields(fields(matches[0])['path']);
  // Defaults: no matches at all is one PathPrefix /.
  const prefix = matches.length === 0 || (matches.length === 1 && (path['type'] ?? 'PathPrefix') === 'PathPrefix');
  return when(rewrites && !prefix, 'replacePrefixMatch needs exactly one match, of type PathPrefix');
}

function repeatedPorts(ports: readonly unknown[]): readonly Problem[] {
  const numbers = ports.map((port) => fields(port)['number']);
  return numbers.flatMap((number, index) =>
    when(numbers.indexOf(number) < index, `port ${String(number)} is given twice`, [index]),
  );
}

function endpointsFitResolution(entry: Fields): readonly Problem[] {
  const resolution = entry['resolution'] ?? 'NONE';
  const cidr = list(entry['addresses']).findIndex((address) => String(address).includes('/'));
  return [
    ...when(resolution === 'NONE' && 'endpoints' in entry, 'endpoints need a resolution other than NONE', [
      'endpoints',
    ]),
    ...when(
      resolution === 'DNS_ROUND_ROBIN' && list(entry['endpoints']).length > 1,
      'DNS_ROUND_ROBIN takes one endpoint',
      ['endpoints'],
    ),
    ...when(cidr >= 0 && resolution !== 'STATIC' && resolution !== 'NONE', 'a CIDR needs resolution NONE or STATIC', [
      'addresses',
      cidr,
    ]),
  ];
}
