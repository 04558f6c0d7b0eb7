// Hash policies of routes: what consistent-hash balancers look up (Envoy: HashPolicyImpl, xxHash64 of each part, combined by rotate and xor).
import type { RouteAction_HashPolicy as HashPolicy } from '@heddle/xds';
import { xxHash64 } from '../../balance/xxhash64.js';
import { headerKey } from '../../matching/header-matcher.js';
import { queryParameter } from '../../matching/query-matcher.js';
import { compileSafeRegex } from '../../matching/safe-regex.js';
import type { RequestHead } from '../../request-head.js';
import type { CompileReport } from '../compile-report.js';

type HashPart = (head: RequestHead) => string | undefined;
export type RequestHashOf = (head: RequestHead) => bigint | undefined;

/** The hash of a route; undefined when no policy that is honoured is set. */
export function compileHash(
  policies: readonly HashPolicy[],
  path: string,
  report: CompileReport,
): RequestHashOf | undefined {
  const parts: { readonly read: HashPart; readonly terminal: boolean }[] = [];
  for (const [index, policy] of policies.entries()) {
    const at = `${path}[${index}]`;
    const read = report.attempt(at, () => compilePart(policy, at, report));
    if (read !== undefined) parts.push({ read, terminal: policy.terminal });
  }
  if (parts.length === 0) return undefined;
  return (head) => {
    let hash: bigint | undefined;
    for (const { read, terminal } of parts) {
      const value = read(head);
      if (value !== undefined) hash = combine(hash, xxHash64(value));
      // Envoy: a terminal policy ends the list once there is a hash.
      if (terminal && hash !== undefined) break;
    }
    return hash;
  };
}

/** Envoy: rotate the old one by a bit, so that equal parts don't cancel out. */
function combine(old: bigint | undefined, next: bigint): bigint {
  if (old === undefined) return next;
  return (((old << 1n) | (old >> 63n)) & 0xffff_ffff_ffff_ffffn) ^ next;
}

function compilePart(policy: HashPolicy, path: string, report: CompileReport): HashPart | undefined {
  const specifier = policy.policySpecifier;
  switch (specifier.case) {
    case 'header': {
      const name = headerKey(specifier.value.headerName);
      const rewrite = specifier.value.regexRewrite;
      if (rewrite === undefined) return (head) => head.header(name);
      const regex = compileSafeRegex(rewrite.pattern?.regex ?? '');
      regex.checkSubstitution(rewrite.substitution);
      return (head) => {
        const value = head.header(name);
        return value === undefined ? undefined : regex.replaceAll(value, rewrite.substitution);
      };
    }
    case 'cookie': {
      const { name, ttl } = specifier.value;
      if (ttl !== undefined) report.ignored(`${path}.cookie.ttl`, 'no cookie is set for a caller that sends none');
      return (head) => cookieValue(head.header('cookie'), name);
    }
    case 'queryParameter': {
      const { name } = specifier.value;
      return (head) => queryParameter(head.path, name);
    }
    case 'connectionProperties':
      report.ignored(
        `${path}.connection_properties`,
        'a call from inside the process has no downstream connection to hash',
      );
      return undefined;
    case 'filterState':
      report.ignored(`${path}.filter_state`, 'there is no filter state to hash');
      return undefined;
    case undefined:
      report.fault(path, 'no policy is set');
      return undefined;
  }
}

/** Value of a cookie of the request, quotes removed; undefined when it is not there. */
function cookieValue(header: string | undefined, name: string): string | undefined {
  if (header === undefined) return undefined;
  for (const pair of header.split(/[;,]/)) {
    const equals = pair.indexOf('=');
    if (equals !== -1 && pair.slice(0, equals).trim() === name)
      return pair
        .slice(equals + 1)
        .trim()
        .replace(/^"(.*)"$/, '$1');
  }
  return undefined;
}
