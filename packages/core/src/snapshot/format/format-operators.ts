// The operators of Envoy's format strings that mean something in header values (Envoy: access logging, "command operators").
import { hostname } from 'node:os';
import { headerKey } from '../../matching/header-matcher.js';
import { pathOnly } from '../../matching/path-matcher.js';
import type { CompileReport } from '../compile-report.js';
import type { FormatContext } from '../route-snapshot.js';
import { compileTimeFormat } from './time-format.js';

export type FormatOperator = string | ((context: FormatContext) => string);
type OperatorKind = (argument: string | undefined) => FormatOperator;

const request =
  (read: (context: FormatContext, name: string) => string | undefined): OperatorKind =>
  (argument = '') => {
    const names = argument.split('?').map(headerKey);
    return (context) => {
      for (const name of names) {
        const value = read(context, name);
        if (value !== undefined && value !== '') return value;
      }
      return '';
    };
  };
const requestHeader = request((context, name) => context.head.header(name));
const withoutQuery = request((context, name) => {
  const value = context.head.header(name);
  return value === undefined ? undefined : pathOnly(value);
});
const responseHeader = request((context, name) => context.responseHeader?.(name));

const KNOWN: ReadonlyMap<string, OperatorKind> = new Map<string, OperatorKind>([
  ['REQ', requestHeader],
  ['REQ_WITHOUT_QUERY', withoutQuery],
  ['RESP', responseHeader],
  ['PATH', () => (context) => context.head.path],
  ['PROTOCOL', () => 'HTTP/1.1'],
  ['HOSTNAME', () => hostname()],
  ['START_TIME', (argument) => startTime(argument)],
  ['UPSTREAM_HOST', () => (context) => context.upstreamAddress ?? ''],
  ['UPSTREAM_REMOTE_ADDRESS', () => (context) => context.upstreamAddress ?? ''],
  ['UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT', () => (context) => withoutPort(context.upstreamAddress)],
  ['UPSTREAM_CLUSTER', () => (context) => context.upstreamCluster ?? ''],
  ['DOWNSTREAM_REMOTE_ADDRESS', () => (context) => context.downstreamAddress ?? ''],
  ['DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT', () => (context) => withoutPort(context.downstreamAddress)],
  ['DOWNSTREAM_DIRECT_REMOTE_ADDRESS', () => (context) => context.downstreamAddress ?? ''],
  ['DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT', () => (context) => withoutPort(context.downstreamAddress)],
]);

/** Operators that Envoy has and that have no value here: empty, and reported. By exact name or prefix. */
const KNOWN_TO_ENVOY =
  /^(DYNAMIC_METADATA|CLUSTER_METADATA|UPSTREAM_METADATA|METADATA|FILTER_STATE|UPSTREAM_FILTER_STATE|PER_REQUEST_STATE|ENVIRONMENT|TRAILER|GRPC_STATUS(_NUMBER)?|RESPONSE_(CODE(_DETAILS)?|FLAGS(_LONG)?|DURATION|TX_DURATION)|REQUEST_(DURATION|TX_DURATION)|DURATION|COMMON_DURATION|BYTES_(SENT|RECEIVED)|CONNECTION_(ID|TERMINATION_DETAILS)|ROUTE_NAME|VIRTUAL_CLUSTER_NAME|STREAM_ID|TRACE_ID|TRACE_STATE|UNIQUE_ID|REQUESTED_SERVER_NAME|ATTEMPT_COUNT|CUSTOM_FLAGS|TLS_JA3_FINGERPRINT|TLS_JA4_FINGERPRINT|EMIT_TIME|QUERY_PARAM(S)?|COALESCE|FILTER_CHAIN_NAME|(UPSTREAM|DOWNSTREAM)_[A-Z0-9_]+|(REQUEST|RESPONSE)_[A-Z_]*BYTES[A-Z_]*)$/;

/** One operator; unknown to Envoy: a fault; known to Envoy alone: empty and reported. */
export function compileOperator(
  name: string,
  argument: string | undefined,
  path: string,
  report: CompileReport,
): FormatOperator {
  const kind = KNOWN.get(name);
  if (kind !== undefined) return kind(argument);
  if (KNOWN_TO_ENVOY.test(name)) report.ignored(path, `%${name}% has no value here and is left empty`);
  else report.fault(path, `unknown operator %${name}%`);
  return '';
}

function startTime(argument: string | undefined): FormatOperator {
  const format = compileTimeFormat(argument === undefined || argument === '' ? '%Y-%m-%dT%H:%M:%E3SZ' : argument);
  return (context) => format(context.wallMs);
}

function withoutPort(address: string | undefined): string {
  return address === undefined ? '' : address.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
}
