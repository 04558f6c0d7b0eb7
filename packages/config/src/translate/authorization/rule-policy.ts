// One rule of an AuthorizationPolicy -> one RBAC policy. Each condition gives principals or permissions; a condition that its
// connection cannot answer is an error for ALLOW (the rule goes) and is left out for DENY (the rule widens): closed both ways.
import { type Permission, type Policy, PolicySchema, type Principal, create } from '@heddle/xds';
import type { AuthorizationRuleSpec, OperationSpec, SourceSpec } from '../../view/spec/authorization.js';
import { allPermissions, anyPermission, destinationAddress, destinationPort, headerPermission, metadataPermission, notPermission, onePermission, pathPermission, serverName } from './permissions.js'; // prettier-ignore
import { addressPrincipal, allPrincipals, anyPrincipal, claimPrincipal, headerPrincipal, namespacePrincipal, notPrincipal, onePrincipal, requestPrincipal, serviceAccountPrincipal, spiffePrincipal, trustDomainPrincipal } from './principals.js'; // prettier-ignore
import { type TrustDomains, expandPrincipals, expandTrustDomains } from './trust-domains.js';

export interface RuleContext {
  readonly policyNamespace: string;
  /** A TCP connection has no method, path, host, header or token. */
  readonly tcp: boolean;
  /** ALLOW drops a rule that it cannot check; DENY, AUDIT and CUSTOM widen it. */
  readonly action: 'ALLOW' | 'DENY' | 'AUDIT' | 'CUSTOM';
  readonly trust: TrustDomains;
}

/** Thrown when an ALLOW rule cannot be checked. */
export class UncheckableRule extends Error {}

type Values = readonly string[];
interface Condition<Part> {
  readonly values: Values;
  readonly notValues: Values;
  /** One matcher for one value, or for all together. */
  readonly make: { readonly each: (value: string) => Part } | { readonly all: (values: Values) => Part | undefined };
  readonly httpOnly: boolean;
  readonly key: string;
}

export function rulePolicy(rule: AuthorizationRuleSpec, context: RuleContext): Policy {
  const when = rule.when ?? [];
  const ofCaller = when.flatMap((entry) => callerCondition(entry, context));
  const ofRequest = when.flatMap((entry) => requestCondition(entry));
  for (const { key = '' } of when) if (!isKnownKey(key)) throw new UncheckableRule(`unknown attribute ${key}`);
  const sources = rule.from ?? [];
  const operations = rule.to ?? [];
  const principals = (
    sources.length === 0 ? [[]] : sources.map((from) => sourceConditions(from.source ?? {}, context))
  ).map((own) => combine([...own, ...ofCaller], CALLER, context));
  const permissions = (
    operations.length === 0 ? [[]] : operations.map((to) => operationConditions(to.operation ?? {}))
  ).map((own) => combine([...own, ...ofRequest], REQUEST, context));
  return create(PolicySchema, { principals, permissions });
}

interface Algebra<Part> {
  readonly any: () => Part;
  readonly and: (parts: readonly Part[]) => Part;
  readonly or: (parts: readonly Part[]) => Part;
  readonly not: (part: Part) => Part;
}
const CALLER: Algebra<Principal> = { any: anyPrincipal, and: allPrincipals, or: onePrincipal, not: notPrincipal };
const REQUEST: Algebra<Permission> = { any: anyPermission, and: allPermissions, or: onePermission, not: notPermission };

function combine<Part>(conditions: readonly Condition<Part>[], algebra: Algebra<Part>, context: RuleContext): Part {
  const parts = conditions.flatMap((condition) => {
    const wanted = alternatives(condition, condition.values, algebra, context);
    const refused = alternatives(condition, condition.notValues, algebra, context);
    return [...(wanted === undefined ? [] : [wanted]), ...(refused === undefined ? [] : [algebra.not(refused)])];
  });
  return algebra.and(parts.length === 0 ? [algebra.any()] : parts);
}

function alternatives<Part>(
  condition: Condition<Part>,
  values: Values,
  algebra: Algebra<Part>,
  context: RuleContext,
): Part | undefined {
  if (values.length === 0) return undefined;
  const { make } = condition;
  if ('all' in make) return checked(condition, context, () => make.all(values));
  const parts = values.map((value) => checked(condition, context, () => make.each(value)));
  const made = parts.filter((part) => part !== undefined);
  return made.length === 0 ? undefined : algebra.or(made);
}

function checked<Part>(
  condition: Condition<Part>,
  context: RuleContext,
  make: () => Part | undefined,
): Part | undefined {
  try {
    if (condition.httpOnly && context.tcp) throw new RangeError(`${condition.key} needs HTTP`);
    return make();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    if (context.action === 'ALLOW') throw new UncheckableRule(error.message);
    return undefined;
  }
}

function condition<Part>(
  key: string,
  values: Values | undefined,
  notValues: Values | undefined,
  make: Condition<Part>['make'],
  httpOnly = false,
): Condition<Part>[] {
  if ((values ?? []).length === 0 && (notValues ?? []).length === 0) return [];
  return [{ key, values: values ?? [], notValues: notValues ?? [], make, httpOnly }];
}

function sourceConditions(source: SourceSpec, { policyNamespace, trust }: RuleContext): Condition<Principal>[] {
  const names = (values: Values | undefined) => expandPrincipals(values ?? [], trust);
  const domains = (values: Values | undefined) => expandTrustDomains(values ?? [], trust);
  const account = (value: string) => serviceAccountPrincipal(value, policyNamespace);
  // The order is istiod's: each condition is put before the former ones.
  return [
    ...condition('principals', names(source.principals), names(source.notPrincipals), { each: spiffePrincipal }),
    ...condition(
      'requestPrincipals',
      source.requestPrincipals,
      source.notRequestPrincipals,
      { all: requestPrincipal },
      true,
    ),
    ...condition('serviceAccounts', source.serviceAccounts, source.notServiceAccounts, { each: account }),
    ...condition('trustDomains', domains(source.trustDomains), domains(source.notTrustDomains), {
      each: trustDomainPrincipal,
    }),
    ...condition('namespaces', source.namespaces, source.notNamespaces, { each: namespacePrincipal }),
    ...condition('remoteIpBlocks', source.remoteIpBlocks, source.notRemoteIpBlocks, {
      each: (block) => addressPrincipal(block, false),
    }),
    ...condition('ipBlocks', source.ipBlocks, source.notIpBlocks, { each: (block) => addressPrincipal(block, true) }),
  ];
}

function operationConditions(operation: OperationSpec): Condition<Permission>[] {
  const host = (pattern: string) => headerPermission(':authority', pattern);
  const method = (pattern: string) => headerPermission(':method', pattern);
  return [
    ...condition('hosts', operation.hosts, operation.notHosts, { each: host }, true),
    ...condition('methods', operation.methods, operation.notMethods, { each: method }, true),
    ...condition('paths', operation.paths, operation.notPaths, { each: pathPermission }, true),
    ...condition('ports', operation.ports, operation.notPorts, { each: destinationPort }),
  ];
}

type When = NonNullable<AuthorizationRuleSpec['when']>[number];
const REQUEST_KEYS = ['destination.ip', 'destination.port', 'connection.sni'];
const CALLER_KEYS = ['source.ip', 'remote.ip', 'source.namespace', 'source.serviceAccount', 'source.trustDomain', 'source.principal', 'request.auth.principal', 'request.auth.audiences', 'request.auth.presenter']; // prettier-ignore
const PREFIXES = ['request.headers', 'request.auth.claims', 'experimental.envoy.filters.'];

function isKnownKey(key: string): boolean {
  return REQUEST_KEYS.includes(key) || CALLER_KEYS.includes(key) || PREFIXES.some((prefix) => key.startsWith(prefix));
}

function requestCondition({ key = '', values, notValues }: When): Condition<Permission>[] {
  if (key === 'destination.ip') return condition(key, values, notValues, { each: destinationAddress });
  if (key === 'destination.port') return condition(key, values, notValues, { each: destinationPort });
  if (key === 'connection.sni') return condition(key, values, notValues, { each: serverName });
  if (!key.startsWith('experimental.envoy.filters.')) return [];
  return condition(key, values, notValues, { all: (all) => metadataPermission(key, all) });
}

function callerCondition(entry: When, context: RuleContext): Condition<Principal>[] {
  const { key = '', values, notValues } = entry;
  const source = SOURCE_FIELDS[key];
  if (source !== undefined)
    return sourceConditions({ [source[0]]: values ?? [], [source[1]]: notValues ?? [] }, context);
  const claims = (path: readonly string[]) => ({ all: (patterns: Values) => claimPrincipal(path, patterns) });
  if (key === 'request.auth.audiences') return condition(key, values, notValues, claims(['aud']), true);
  if (key === 'request.auth.presenter') return condition(key, values, notValues, claims(['azp']), true);
  if (key.startsWith('request.headers')) {
    const each = (pattern: string) => headerPrincipal(bracketed(key.slice('request.headers'.length)), pattern);
    return condition(key, values, notValues, { each }, true);
  }
  if (!key.startsWith('request.auth.claims')) return [];
  const all = (patterns: Values) => claimPrincipal(nestedNames(key.slice('request.auth.claims'.length)), patterns);
  return condition(key, values, notValues, { all }, true);
}

const SOURCE_FIELDS: Readonly<Record<string, readonly [keyof SourceSpec, keyof SourceSpec]>> = {
  'source.ip': ['ipBlocks', 'notIpBlocks'],
  'remote.ip': ['remoteIpBlocks', 'notRemoteIpBlocks'],
  'source.namespace': ['namespaces', 'notNamespaces'],
  'source.serviceAccount': ['serviceAccounts', 'notServiceAccounts'],
  'source.trustDomain': ['trustDomains', 'notTrustDomains'],
  'source.principal': ['principals', 'notPrincipals'],
  'request.auth.principal': ['requestPrincipals', 'notRequestPrincipals'],
};

function bracketed(text: string): string {
  if (!text.startsWith('[') || !text.endsWith(']')) throw new RangeError(`${text} is not [NAME]`);
  return text.slice(1, -1);
}

/** `[a][b]` -> a, b; anything else inside one pair of brackets is one name. */
function nestedNames(text: string): readonly string[] {
  if (/^(\[[^[\]]*\])+$/.test(text)) return text.slice(1, -1).split('][');
  return [bracketed(text)];
}
