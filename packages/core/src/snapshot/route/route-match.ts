// A compiled RouteMatch: the path, and every further condition with the words for why it did not hold.
import { type RouteMatch } from '@heddle/xds';
import type { Draws } from '../../draws.js';
import { runtimeFraction } from '../../filters/fractional-percent.js';
import { compileHeaderMatcher } from '../../matching/header-matcher.js';
import { type CompiledPath, compilePathSpecifier, pathOnly } from '../../matching/path-matcher.js';
import { compileQueryMatcher } from '../../matching/query-matcher.js';
import type { RequestHead } from '../../request-head.js';
import type { CompileReport } from '../compile-report.js';

/** A condition beside the path. */
export interface RouteCondition {
  holds(head: RequestHead, draw: Draws): boolean;
  /** Why it does not hold for this request: field, expected, came. */
  why(head: RequestHead): string;
}

export interface CompiledMatch {
  readonly path: CompiledPath;
  /** Undefined where the path decides alone. */
  readonly conditions: readonly RouteCondition[] | undefined;
}

/** What is left of a match that could not be compiled: it takes nothing. */
const NEVER: CompiledMatch = { path: { kind: 'other', test: () => false, text: 'invalid' }, conditions: undefined };

/** Compiles a match; faults are reported at `path`. */
export function compileRouteMatch(match: RouteMatch | undefined, path: string, report: CompileReport): CompiledMatch {
  if (match === undefined) {
    report.fault(path, 'must be set');
    return NEVER;
  }
  const compiledPath = report.attempt(path, () => compilePathSpecifier(match));
  const conditions: RouteCondition[] = [];
  addHeaders(match, path, conditions, report);
  addQuery(match, path, conditions, report);
  if (match.grpc !== undefined) conditions.push(grpcCondition);
  addRuntimeFraction(match, conditions);
  addUnanswerable(match, path, conditions, report);
  if (compiledPath === undefined) return NEVER;
  return { path: compiledPath, conditions: conditions.length === 0 ? undefined : conditions };
}

/** Why a match does not take a request; undefined when it does. */
export function whyNot(match: CompiledMatch, head: RequestHead, draw: Draws): string | undefined {
  const path = pathOnly(head.path);
  if (!match.path.test(path)) return `path: expected ${match.path.text}, came ${JSON.stringify(path)}`;
  return match.conditions?.find((condition) => !condition.holds(head, draw))?.why(head);
}

function addHeaders(match: RouteMatch, path: string, conditions: RouteCondition[], report: CompileReport): void {
  for (const [index, matcher] of match.headers.entries()) {
    const compiled = report.attempt(`${path}.headers[${index}]`, () => compileHeaderMatcher(matcher));
    if (compiled === undefined) continue;
    const { name, text } = compiled;
    conditions.push({
      holds: (head) => compiled.matches(head),
      why: (head) => `header ${name}: expected ${text}, came ${came(head.header(name))}`,
    });
  }
}

function addQuery(match: RouteMatch, path: string, conditions: RouteCondition[], report: CompileReport): void {
  for (const [index, matcher] of match.queryParameters.entries()) {
    const compiled = report.attempt(`${path}.query_parameters[${index}]`, () => compileQueryMatcher(matcher));
    if (compiled === undefined) continue;
    conditions.push({
      holds: (head) => compiled.matches(head.path),
      why: (head) =>
        `query parameter ${compiled.name}: expected ${compiled.text}, came ${JSON.stringify(head.path.slice(pathOnly(head.path).length))}`,
    });
  }
}

/** Envoy: Grpc::Common::isGrpcRequestHeaders. */
const grpcCondition: RouteCondition = {
  holds(head) {
    const type = head.header('content-type');
    return type === 'application/grpc' || type?.startsWith('application/grpc+') === true;
  },
  why: (head) => `content-type: expected application/grpc, came ${came(head.header('content-type'))}`,
};

function addRuntimeFraction(match: RouteMatch, conditions: RouteCondition[]): void {
  const { runtimeFraction: runtime } = match;
  if (runtime === undefined) return;
  const share = runtimeFraction(runtime, 1);
  if (share >= 1) return;
  conditions.push({
    holds: (_, draw) => draw('runtime-fraction') < share,
    why: () => `runtime_fraction: only ${share * 100} percent of requests take this route`,
  });
}

/** Conditions on what a call from inside the process does not have: such a route is never taken, and that is reported. */
function addUnanswerable(match: RouteMatch, path: string, conditions: RouteCondition[], report: CompileReport): void {
  const fields: [set: boolean, name: string][] = [
    [match.tlsContext !== undefined, 'tls_context'],
    [match.dynamicMetadata.length > 0, 'dynamic_metadata'],
    [match.filterState.length > 0, 'filter_state'],
  ];
  for (const [set, name] of fields) {
    if (!set) continue;
    report.ignored(`${path}.${name}`, 'the route is never taken, since the condition can not be answered here');
    conditions.push({
      holds: () => false,
      why: () => `${name}: can not be answered here, so the route is never taken`,
    });
  }
}

function came(value: string | undefined): string {
  return value === undefined ? 'nothing' : JSON.stringify(value);
}
