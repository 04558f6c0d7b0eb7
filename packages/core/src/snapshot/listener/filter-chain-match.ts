// Which filter chain a connection meets, in Envoy's order: destination port, IP, server name, transport, ALPN, direct source, source type, source IP,
// source port (Envoy: FilterChainMatch). At each step only the most specific chains go on; there is no way back.
import { isIP } from 'node:net';
import {
  type CidrRange,
  type FilterChainMatch,
  FilterChainMatch_ConnectionSourceType as SourceType,
} from '@heddle/xds';
import { type CidrTest, compileCidr, prefixLength } from '../../matching/cidr.js';
import type { CompileReport } from '../compile-report.js';
import type { ConnectionFacts } from '../inbound-snapshot.js';

/** One step: -1 the chain does not take the connection; 0 it does not care; above, the more specific the higher. */
export type MatchStep = (facts: ConnectionFacts) => number;

/** Steps that all chains share, in order. */
export const STEP_COUNT = 9;
const ANY: MatchStep = () => 0;

/** Compiles a match into its steps; faults are reported at `path`. `port` stands in for an unset destination port. */
export function compileChainMatch(
  match: FilterChainMatch | undefined,
  port: number | undefined,
  path: string,
  report: CompileReport,
): readonly MatchStep[] {
  const destinationPort = match?.destinationPort ?? port;
  if (match?.addressSuffix !== undefined && match.addressSuffix !== '')
    report.fault(`${path}.address_suffix`, 'is not supported');
  return [
    destinationPort === undefined ? ANY : (facts) => (facts.destinationPort === destinationPort ? 1 : -1),
    rangeStep(match?.prefixRanges, (facts) => facts.destinationIp, `${path}.prefix_ranges`, report),
    serverNameStep(match?.serverNames ?? [], `${path}.server_names`, report),
    transportStep(match?.transportProtocol ?? ''),
    alpnStep(match?.applicationProtocols ?? []),
    rangeStep(
      match?.directSourcePrefixRanges,
      (facts) => facts.sourceIp,
      `${path}.direct_source_prefix_ranges`,
      report,
    ),
    sourceTypeStep(match?.sourceType ?? SourceType.ANY),
    rangeStep(match?.sourcePrefixRanges, (facts) => facts.sourceIp, `${path}.source_prefix_ranges`, report),
    sourcePortStep(match?.sourcePorts ?? []),
  ];
}

/** The chain that takes a connection: step by step, the most specific ones stay. */
export function findChain<Chain extends { readonly steps: readonly MatchStep[] }>(
  chains: readonly Chain[],
  facts: ConnectionFacts,
): Chain | undefined {
  let candidates = chains;
  for (let step = 0; step < STEP_COUNT; step++) {
    let best = -1;
    let kept: Chain[] = [];
    for (const chain of candidates) {
      const rank = chain.steps[step]?.(facts) ?? -1;
      if (rank < 0 || rank < best) continue;
      if (rank > best) kept = [];
      best = rank;
      kept.push(chain);
    }
    if (kept.length === 0) return undefined;
    candidates = kept;
  }
  return candidates[0];
}

/** The longest range that holds the address; rank is its length plus one. */
function rangeStep(
  ranges: readonly CidrRange[] | undefined,
  address: (facts: ConnectionFacts) => string,
  path: string,
  report: CompileReport,
): MatchStep {
  if (ranges === undefined || ranges.length === 0) return ANY;
  const tests: { readonly test: CidrTest; readonly rank: number }[] = [];
  for (const [index, range] of ranges.entries()) {
    const test = report.attempt(`${path}[${index}]`, () => compileCidr(range));
    if (test !== undefined) tests.push({ test, rank: prefixLength(range) + 1 });
  }
  tests.sort((a, b) => b.rank - a.rank);
  return (facts) => {
    const ip = address(facts);
    for (const { test, rank } of tests) if (test(ip)) return rank;
    return -1;
  };
}

/** Exact names above wildcards, longer wildcards above shorter (Envoy: server_names, `*.example.com`). */
function serverNameStep(names: readonly string[], path: string, report: CompileReport): MatchStep {
  if (names.length === 0) return ANY;
  const exact = new Set<string>();
  const suffixes: string[] = [];
  for (const [index, name] of names.entries()) {
    const lower = name.toLowerCase();
    if (lower.startsWith('*.')) suffixes.push(lower.slice(1));
    else if (lower.includes('*')) report.fault(`${path}[${index}]`, 'partial wildcards are not supported');
    else exact.add(lower);
  }
  suffixes.sort((a, b) => b.length - a.length);
  return (facts) => {
    if (exact.has(facts.serverName)) return Number.MAX_SAFE_INTEGER;
    const suffix = suffixes.find((known) => facts.serverName.endsWith(known) && facts.serverName.length > known.length);
    return suffix === undefined ? -1 : suffix.length;
  };
}

function transportStep(transport: string): MatchStep {
  return transport === '' ? ANY : (facts) => (facts.transport === transport ? 1 : -1);
}

/** The connection's names count in its order of preference: a chain for an earlier name wins. */
function alpnStep(protocols: readonly string[]): MatchStep {
  if (protocols.length === 0) return ANY;
  const wanted = new Set(protocols);
  return (facts) => {
    const position = facts.applicationProtocols.findIndex((name) => wanted.has(name));
    return position === -1 ? -1 : facts.applicationProtocols.length - position;
  };
}

function sourceTypeStep(type: SourceType): MatchStep {
  switch (type) {
    case SourceType.ANY:
      return ANY;
    case SourceType.SAME_IP_OR_LOOPBACK:
      return (facts) => (isLocal(facts) ? 1 : -1);
    case SourceType.EXTERNAL:
      return (facts) => (isLocal(facts) ? -1 : 1);
  }
}

function isLocal({ sourceIp, destinationIp }: ConnectionFacts): boolean {
  if (sourceIp === destinationIp || sourceIp === '::1') return true;
  const plain = sourceIp.startsWith('::ffff:') ? sourceIp.slice(7) : sourceIp;
  return isIP(plain) === 4 && plain.startsWith('127.');
}

function sourcePortStep(ports: readonly number[]): MatchStep {
  return ports.length === 0 ? ANY : (facts) => (ports.includes(facts.sourcePort) ? 1 : -1);
}
