// Runs one case of Envoy's route-table corpora (router_check_tool format) against a compiled route table.
import { HeaderMatcherSchema, type JsonValue, fromJson } from '@heddle/xds';
import type { Draws } from '../../../packages/core/src/draws.js';
import { compileHeaderMatcher } from '../../../packages/core/src/matching/header-matcher.js';
import type { RequestHead } from '../../../packages/core/src/request-head.js';
import type {
  FormatContext,
  HeaderOperations,
  RoutePlan,
  RouteTable,
  WeightedCluster,
} from '../../../packages/core/src/snapshot/route-snapshot.js';

export interface CorpusInput {
  readonly authority: string;
  readonly path: string;
  readonly method: string;
  readonly ssl?: boolean;
  readonly internal?: boolean;
  readonly random_value?: number;
  readonly runtime?: string;
  readonly additional_request_headers?: readonly { readonly key: string; readonly value: string }[];
  readonly additional_response_headers?: readonly { readonly key: string; readonly value: string }[];
}

export interface CorpusCase {
  readonly test_name: string;
  readonly input: CorpusInput;
  readonly validate: Readonly<Record<string, unknown>>;
  readonly expect_validate_to_fail?: boolean;
}

/** What a case met, by the names of the corpus' checks. */
export interface Observed {
  readonly values: Readonly<Record<string, string | number | boolean>>;
  readonly requestHeaders: ReadonlyMap<string, string>;
  readonly responseHeaders: ReadonlyMap<string, string>;
}

export function headOf(input: CorpusInput): RequestHead {
  const scheme = input.ssl === true ? 'https' : 'http';
  const headers = new Map<string, string>([
    [':method', input.method],
    [':path', input.path],
    [':authority', input.authority],
    [':scheme', scheme],
    ['x-forwarded-proto', scheme],
  ]);
  if (input.internal === true) headers.set('x-envoy-internal', 'true');
  for (const { key, value } of input.additional_request_headers ?? []) {
    const name = key.toLowerCase();
    const known = headers.get(name);
    headers.set(name, known === undefined || name.startsWith(':') ? value : `${known},${value}`);
  }
  return {
    method: headers.get(':method') ?? '',
    path: input.path,
    authority: input.authority.toLowerCase(),
    scheme,
    header: (name) => headers.get(name),
  };
}

/** The tool's random value stands for every die: a share of a hundred where the case activates a runtime key, else never. */
function drawsOf(input: CorpusInput): Draws {
  const share = input.runtime === undefined ? 0.999999 : ((input.random_value ?? 0) % 100) / 100;
  return () => share;
}

export function observe(table: RouteTable, input: CorpusInput): Observed {
  const head = headOf(input);
  const plan = table.virtualHost(head.authority)?.match(head, drawsOf(input));
  const requestHeaders = new Map<string, string>();
  for (const name of [':method', ':path', ':authority', ':scheme', 'x-forwarded-proto'])
    requestHeaders.set(name, head.header(name) ?? '');
  for (const { key, value } of input.additional_request_headers ?? []) requestHeaders.set(key.toLowerCase(), value);
  const responseHeaders = new Map<string, string>();
  for (const { key, value } of input.additional_response_headers ?? []) responseHeaders.set(key.toLowerCase(), value);
  const none = {
    cluster_name: '',
    virtual_host_name: '',
    path_rewrite: '',
    host_rewrite: '',
    path_redirect: '',
    no_route: plan === undefined,
  };
  if (plan === undefined) return { values: none, requestHeaders, responseHeaders };
  const values = { ...none, ...valuesOf(plan, head, input, requestHeaders, responseHeaders) };
  return { values, requestHeaders, responseHeaders };
}

function valuesOf(
  plan: RoutePlan,
  head: RequestHead,
  input: CorpusInput,
  request: Map<string, string>,
  response: Map<string, string>,
): Record<string, string | number | boolean> {
  const { action } = plan;
  const context: FormatContext = {
    head,
    responseHeader: (name) => response.get(name),
    upstreamAddress: undefined,
    upstreamCluster: undefined,
    downstreamAddress: '127.0.0.1:0',
    wallMs: 0,
  };
  if (action.kind === 'redirect') {
    apply(plan.responseHeaders, response, context);
    return { path_redirect: action.location(head), code_redirect: action.status };
  }
  if (action.kind === 'direct-response') {
    if (action.body !== '')
      response.set('content-type', 'text/plain').set('content-length', String(action.body.length));
    apply(plan.responseHeaders, response, context);
    return { path_redirect: `${head.scheme}://${input.authority}${head.path}`, code_redirect: action.status };
  }
  const total = action.clusters.totalWeight;
  const entry = action.clusters.entries.find((one) => one.cumulativeWeight > (input.random_value ?? 0) % total);
  if (entry === undefined) throw new Error('no weighted cluster was drawn');
  apply(entry.requestHeaders, request, context);
  apply(plan.requestHeaders, request, context);
  apply(entry.responseHeaders, response, context);
  apply(plan.responseHeaders, response, context);
  const path = action.rewritePath?.(head.path) ?? head.path;
  const host = hostOf(plan, entry, { ...head, header: (name) => request.get(name) }) ?? input.authority;
  request.set(':path', path).set(':authority', host);
  const cluster = action.clusterHeader === undefined ? entry.name : (head.header(action.clusterHeader) ?? '');
  return {
    cluster_name: cluster,
    virtual_host_name: plan.virtualHostName,
    path_rewrite: path,
    host_rewrite: host,
    timeout: `${action.timeoutMs / 1000}s`,
  };
}

function hostOf(plan: RoutePlan, entry: WeightedCluster, head: RequestHead): string | undefined {
  if (plan.action.kind !== 'forward') return undefined;
  const { hostRewrite, hostRewriteFrom } = plan.action;
  if (entry.hostRewrite !== undefined) return entry.hostRewrite;
  return typeof hostRewrite === 'string' ? hostRewrite : hostRewriteFrom?.(head);
}

/** Applies operations as a driver does. */
function apply(operations: HeaderOperations | undefined, headers: Map<string, string>, context: FormatContext): void {
  for (const name of operations?.remove ?? []) headers.delete(name);
  for (const { name, mode, value, keepEmptyValue } of operations?.set ?? []) {
    const text = typeof value === 'string' ? value : value(context);
    if (text === '' && !keepEmptyValue) continue;
    const known = headers.get(name);
    if (mode === 'append') headers.set(name, known === undefined ? text : `${known},${text}`);
    else if (mode === 'overwrite' || (mode === 'add-if-absent') === (known === undefined)) headers.set(name, text);
  }
}

/** The checks of a case that do not hold, in words; checks named in `skip` are not looked at. */
export function failures(observed: Observed, test: CorpusCase, skip: ReadonlySet<string>): readonly string[] {
  const failed: string[] = [];
  for (const [check, expected] of Object.entries(test.validate)) {
    if (skip.has(check)) continue;
    if (check.endsWith('_header_matches')) {
      const headers = check.startsWith('request') ? observed.requestHeaders : observed.responseHeaders;
      for (const json of expected as JsonValue[]) {
        const matcher = compileHeaderMatcher(fromJson(HeaderMatcherSchema, json));
        // The tool inverts a presence check that names no specifier.
        if (!matcher.matches({ header: (name) => headers.get(name) }))
          failed.push(`${check} ${JSON.stringify(json)}: came ${String(headers.get(matcher.name))}`);
      }
    } else if (observed.values[check] !== expected)
      failed.push(`${check}: expected ${JSON.stringify(expected)}, came ${JSON.stringify(observed.values[check])}`);
  }
  return failed;
}
