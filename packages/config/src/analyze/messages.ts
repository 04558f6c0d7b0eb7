// The one table of everything that reading and checking configuration can say. Codes are never reused; a retired one stays as a
// comment. `{name}` in a template is an argument that the reporter has to give (`{field}` is filled in from the field's path).
import type { FindingLevel } from '../model/finding.js';

export interface Message {
  readonly code: `HED${number}`;
  readonly name: string;
  readonly level: FindingLevel;
  readonly template: string;
  /** Istio's analysis code for the same fault. */
  readonly istioCode?: `IST${number}`;
}

type Names<T extends string> = T extends `${string}{${infer Name}}${infer Rest}` ? Name | Names<Rest> : never;

/** The arguments that a message's template names, without `field`. */
export type ArgumentsOf<M extends Message> = Readonly<Record<Exclude<Names<M['template']>, 'field'>, string | number>>;

function message<
  const Code extends `HED${number}`,
  const Name extends string,
  const Level extends FindingLevel,
  const Template extends string,
>(code: Code, name: Name, level: Level, template: Template, istioCode?: `IST${number}`) {
  return { code, name, level, template, ...(istioCode && { istioCode }) };
}

/** Reading files and telling kinds apart. */
// prettier-ignore
const reading = {
  yamlSyntax: message('HED0001', 'yaml-syntax', 'error', '{reason}'),
  duplicateKey: message('HED0002', 'duplicate-key', 'error', '`{key}` is given twice in one map'),
  fileUnreadable: message('HED0003', 'file-unreadable', 'error', '{file} cannot be read: {reason}'),
  fileTooLarge: message('HED0004', 'file-too-large', 'error', '{file} has {sizeBytes} bytes; {limitBytes} are allowed'),
  tooManyDocuments: message('HED0005', 'too-many-documents', 'error', 'more than {limit} documents in one file'),
  tooManyNodes: message('HED0006', 'too-many-nodes', 'error', 'a document of more than {limit} values, aliases expanded'),
  notAnObject: message('HED0007', 'not-an-object', 'error', 'expected an object with apiVersion and kind, got {got}'),
  templatedFile: message('HED0008', 'templated-file', 'error', 'this is a template, not YAML: {reason}'),
  badKey: message('HED0009', 'bad-key', 'error', 'a key of a map has to be a plain value, got {got}'),
  unreadKind: message('HED0010', 'unread-kind', 'info', '{kind} ({apiVersion}) is not read by Heddle; objects in this file: {count}'),
  unknownKind: message('HED0011', 'unknown-kind', 'warning', '{kind} ({apiVersion}) is not a kind that Heddle knows; objects in this file: {count}'),
  unknownVersion: message('HED0012', 'unknown-version', 'error', '{kind} has no version {version} in {group}; it exists in {versions}'),
  duplicateObject: message('HED0013', 'duplicate-object', 'warning', 'replaces the object of the same kind and name at {other}'),
  retiredVersion: message('HED0014', 'retired-version', 'warning', '{kind} {version} is no longer served by clusters; use {versions}'),
  tooDeep: message('HED0015', 'too-deep', 'error', 'values are nested more than {limit} levels deep'),
  foreignDocument: message('HED0016', 'foreign-document', 'warning', 'expected an object with apiVersion and kind, got {got}'),
} as const;

/** Schema faults of one object: Istio reports all of them under one code. */
// prettier-ignore
const schema = {
  unknownField: message('HED0101', 'unknown-field', 'error', '{field}: {kind} has no such field', 'IST0106'),
  wrongType: message('HED0102', 'wrong-type', 'error', '{field}: expected {expected}, got {got}', 'IST0106'),
  missingField: message('HED0103', 'missing-field', 'error', '{field}: `{missing}` is required', 'IST0106'),
  notAChoice: message('HED0104', 'not-a-choice', 'error', '{field}: expected {expected}, got {got}', 'IST0106'),
  badDuration: message('HED0105', 'bad-duration', 'error', '{field}: expected {expected}, got {got}', 'IST0106'),
  outOfRange: message('HED0106', 'out-of-range', 'error', '{field}: expected {expected}, got {got}', 'IST0106'),
  badPattern: message('HED0107', 'bad-pattern', 'error', '{field}: {got} has not the form {expected}', 'IST0106'),
  badLength: message('HED0108', 'bad-length', 'error', '{field}: expected {expected}, got {got}', 'IST0106'),
  onlyOneOf: message('HED0109', 'only-one-of', 'error', '{field}: only one of {allowed} may be set, got {got}', 'IST0106'),
  badValue: message('HED0110', 'bad-value', 'error', '{field}: {problem}', 'IST0106'),
  badName: message('HED0111', 'bad-name', 'error', '{field}: {got} is no Kubernetes name (lower case letters, digits, `-` and `.`)', 'IST0106'),
} as const;

/** Routes of one object. */
// prettier-ignore
const routes = {
  zeroWeights: message('HED0201', 'zero-weights', 'error', '{field}: the weights of all destinations add up to 0', 'IST0106'),
  negativeWeight: message('HED0202', 'negative-weight', 'error', '{field}: a weight cannot be negative, got {weight}', 'IST0106'),
  weightsNot100: message('HED0203', 'weights-not-100', 'warning', '{field}: the weights add up to {sum}, so a share is weight / {sum}, not percent'),
  unreachableRoute: message('HED0204', 'unreachable-route', 'warning', '{field}: never used: {reason}', 'IST0130'),
  ineffectiveMatch: message('HED0205', 'ineffective-match', 'info', '{field}: never decides: {other} already matches all of it', 'IST0131'),
  routeWithoutAction: message('HED0206', 'route-without-action', 'error', '{field}: one of {actions} is required', 'IST0106'),
  badRegex: message('HED0207', 'bad-regex', 'error', '{field}: {got} is no RE2 regular expression: {reason}', 'IST0106'),
  conflictingHosts: message('HED0208', 'conflicting-hosts', 'warning', '{field}: {host} is also claimed by {others} for sidecars; one of them is ignored', 'IST0109'),
  conflictingActions: message('HED0209', 'conflicting-actions', 'error', '{field}: only one of {actions} may be set, got {got}', 'IST0106'),
  duplicateSubset: message('HED0210', 'duplicate-subset', 'error', '{field}: the subset {subset} is defined twice', 'IST0106'),
} as const;

/** References from one object to another. They are warnings: what is missing may live in another folder or cluster. */
// prettier-ignore
const references = {
  unknownHost: message('HED0301', 'unknown-host', 'warning', '{field}: no Service or ServiceEntry has the host {host}', 'IST0101'),
  unknownSubset: message('HED0302', 'unknown-subset', 'warning', '{field}: no DestinationRule for {host} defines the subset {subset}', 'IST0101'),
  unknownPort: message('HED0303', 'unknown-port', 'warning', '{field}: {host} has no port {port}; it has {ports}', 'IST0101'),
  portNeeded: message('HED0304', 'port-needed', 'warning', '{field}: {host} has several ports ({ports}); say which', 'IST0112'),
  unknownRuleHost: message('HED0305', 'unknown-rule-host', 'warning', '{field}: no Service or ServiceEntry has the host {host}', 'IST0174'),
  subsetWithoutWorkloads: message('HED0306', 'subset-without-workloads', 'warning', '{field}: no workload of {host} has the labels {labels} of the subset {subset}', 'IST0173'),
  unknownGateway: message('HED0307', 'unknown-gateway', 'warning', '{field}: no Gateway {gateway}', 'IST0101'),
  hostNotInGateway: message('HED0308', 'host-not-in-gateway', 'warning', '{field}: the Gateway {gateway} serves none of the hosts {hosts}', 'IST0132'),
  unknownBackend: message('HED0309', 'unknown-backend', 'warning', '{field}: no Service {backend}'),
  noMatchingWorkload: message('HED0310', 'no-matching-workload', 'info', '{field}: no workload in the namespace {namespace} has the labels {labels}', 'IST0127'),
  unknownNamespace: message('HED0311', 'unknown-namespace', 'info', '{field}: no Namespace {namespace}', 'IST0101'),
} as const;

// prettier-ignore
const security = {
  portLevelWithoutSelector: message('HED0401', 'port-level-without-selector', 'error', '{field}: portLevelMtls needs a selector with matchLabels', 'IST0106'),
  badPrincipal: message('HED0402', 'bad-principal', 'warning', '{field}: {principal} matches no peer: a principal is written TRUST-DOMAIN/ns/NAMESPACE/sa/ACCOUNT'),
  emptyMatchValue: message('HED0403', 'empty-match-value', 'error', '{field}: an empty value matches nothing', 'IST0106'),
  noServerVerification: message('HED0404', 'no-server-verification', 'warning', '{field}: mode {mode} names no caCertificates to verify the server with', 'IST0128'),
  noServerVerificationOnPort: message('HED0405', 'no-server-verification-on-port', 'warning', '{field}: mode {mode} for port {port} names no caCertificates to verify the server with', 'IST0129'),
} as const;

// prettier-ignore
const workloads = {
  conflictingSidecars: message('HED0501', 'conflicting-sidecars', 'warning', '{field}: selects the workload {workload}, as {others} does; one of them is ignored', 'IST0110'),
  severalDefaultSidecars: message('HED0502', 'several-default-sidecars', 'warning', 'the namespace {namespace} has several Sidecars without workloadSelector: {others}', 'IST0111'),
} as const;

// prettier-ignore
const envoyFilters = {
  unsupportedPatch: message('HED0601', 'unsupported-patch', 'warning', '{field}: Heddle does not apply this patch: {reason}'),
  relativeOperation: message('HED0602', 'relative-operation', 'info', '{field}: {operation} without a priority depends on the order of EnvoyFilters', 'IST0151'),
  replaceNeedsFilter: message('HED0603', 'replace-needs-filter', 'warning', '{field}: REPLACE works on HTTP_FILTER, NETWORK_FILTER and VIRTUAL_HOST only, not on {applyTo}', 'IST0152'),
  addIgnored: message('HED0604', 'add-ignored', 'warning', '{field}: ADD is ignored for {applyTo}', 'IST0153'),
  removeIgnored: message('HED0605', 'remove-ignored', 'warning', '{field}: REMOVE is ignored for {applyTo}', 'IST0154'),
  relativeOperationWithVersion: message('HED0606', 'relative-operation-with-version', 'info', '{field}: {operation} with proxyVersion and without a priority may stop working with another version', 'IST0155'),
} as const;

// prettier-ignore
const services = {
  portNameConvention: message('HED0701', 'port-name-convention', 'info', '{field}: the port {port} names no protocol, so it is told from the traffic', 'IST0118'),
  externalNamePort: message('HED0702', 'external-name-port', 'warning', '{field}: the port {port} of an ExternalName service counts as TCP and catches all traffic of that port number', 'IST0150'),
  addressesRequired: message('HED0703', 'addresses-required', 'warning', '{field}: {protocol} without addresses catches all traffic of port {port}', 'IST0134'),
  conflictingProtocol: message('HED0704', 'conflicting-protocol', 'warning', '{field}: {others} gives {host} port {port} another protocol ({protocols})', 'IST0177'),
  unknownProtocol: message('HED0705', 'unknown-protocol', 'warning', '{field}: {protocol} is no protocol that the mesh knows, so the port counts as TCP'),
} as const;

// prettier-ignore
const deprecations = {
  deprecatedField: message('HED0801', 'deprecated-field', 'warning', '{field}: deprecated: {instead}', 'IST0002'),
} as const;

/** What objects ask for and translation does not do, or not as asked. Nothing is left out silently. HED0904 is retired (now HED0601). */
// prettier-ignore
const translation = {
  translationFailed: message('HED0900', 'translation-failed', 'error', 'the configuration could not be translated: {reason}'),
  unsupportedField: message('HED0901', 'unsupported-field', 'warning', '{field}: not translated: {effect}'),
  listenerConflict: message('HED0902', 'listener-conflict', 'warning', '{field}: {other} already takes TCP connections to {listener}; give the service its own address'),
  customAuthorization: message('HED0903', 'custom-authorization-denied', 'warning', '{field}: no external authorizer is called: requests that match are denied'),
  invalidPatch: message('HED0905', 'invalid-envoy-filter-patch', 'error', '{field}: {reason}'),
  ruleDropped: message('HED0906', 'authorization-rule-dropped', 'warning', '{field}: {reason}: {effect}'),
  resourceRefused: message('HED0907', 'resource-refused', 'error', '{name}: {reason}'),
  unsupportedKind: message('HED0908', 'unsupported-kind', 'warning', '{kind} is not translated yet: {effect}'),
  tokensNotVerified: message('HED0909', 'tokens-not-verified', 'warning', '{field}: tokens are not verified yet: no request has a request principal, so ALLOW rules that ask for one never match and DENY rules with notRequestPrincipals always do; requests with a bad token are not answered 401'),
  notForServices: message('HED0910', 'not-for-services', 'info', '{kind} is for {subject}; services of the mesh have no use for it'),
  experimentalField: message('HED0911', 'experimental-field', 'info', '{field}: belongs to the experimental channel of {api}; a cluster may refuse it'),
} as const;

export const messages = {
  ...reading,
  ...schema,
  ...routes,
  ...references,
  ...security,
  ...workloads,
  ...envoyFilters,
  ...services,
  ...deprecations,
  ...translation,
} as const;
