// Explains an outbound call: asks the same snapshot, matchers, filters and cluster state that a real call would ask, and writes down each answer.
import { LISTENER_TYPE_URL, ROUTE_TYPE_URL, type ConfigOrigin, type ResourceTypeUrl } from '@heddle/xds';
import { ERROR_KINDS, type ErrorCode } from '../errors.js';
import type { ExplainStep } from '../explain-types.js';
import type { FilterRequest } from '../filters/http-filter.js';
import type { RequestHead } from '../request-head.js';
import { outboundPath } from '../outbound/outbound-path.js';
import type { OutboundListener, RoutePlan, RouteTable } from '../snapshot/route-snapshot.js';
import type { Snapshot } from '../snapshot/snapshot.js';
import { explainClusters, type EndpointStates } from './explain-cluster.js';
import type { Explanation, ExplainOutcome, ExplainRequest } from './explanation.js';
import { imaginedRequest } from './request-head-of.js';
import { retryStep, timeoutStep } from './explain-plan.js';

export interface OutboundExplainer {
  readonly snapshot: Snapshot;
  readonly states: EndpointStates;
  readonly retryNonIdempotent: boolean;
  originOf(typeUrl: ResourceTypeUrl, name: string, detail?: string): ConfigOrigin | undefined;
}

/** The middle of every die: a fraction of 50 % or more counts as met. */
const MIDDLE = (): number => 0.5;

/** Throws MeshError INVALID_REQUEST when the URL is not absolute. Changes nothing: no token is taken, no endpoint is marked. */
export function explainOutbound(request: ExplainRequest, explainer: OutboundExplainer): Explanation {
  const { head, host, port } = imaginedRequest(request);
  const steps: ExplainStep[] = [];
  const outcome = walk(head, host, port, explainer, steps);
  steps.push({ stage: 'outcome', subject: outcome.kind, verdict: 'chosen', reason: outcomeReason(outcome) });
  return {
    request: { method: head.method, authority: head.authority, path: head.path },
    generation: explainer.snapshot.generation,
    steps,
    outcome,
  };
}

function walk(
  head: RequestHead,
  host: string,
  port: number,
  explainer: OutboundExplainer,
  steps: ExplainStep[],
): ExplainOutcome {
  const listener = explainer.snapshot.outboundListener(host, port);
  if (listener === undefined) {
    const reason = `no listener for ${host}:${port} and no virtualOutbound`;
    steps.push({ stage: 'listener', subject: `${host}:${port}`, verdict: 'info', reason });
    return { kind: 'passthrough', host, port };
  }
  const { target } = listener;
  const table = target.kind === 'tcp' ? undefined : routeTableOf(target, explainer.snapshot);
  steps.push(listenerStep(listener, host, port, explainer, table?.virtualHost(head.authority)?.name));
  if (target.kind === 'tcp')
    return explainClusters(
      target.clusters.entries,
      target.clusters.totalWeight,
      host,
      port,
      explainer,
      steps,
      undefined,
    );
  return walkHttp(head, host, port, listener, target.routeName, table, explainer, steps);
}

function walkHttp(
  head: RequestHead,
  host: string,
  port: number,
  listener: OutboundListener,
  routeName: string,
  table: RouteTable | undefined,
  explainer: OutboundExplainer,
  steps: ExplainStep[],
): ExplainOutcome {
  if (table === undefined) {
    const reason = 'the listener names a route table that the feed has not sent';
    return failure('NO_ROUTE', 'route', routeName, reason, steps);
  }
  const path = outboundPath(listener, head.path);
  if (typeof path !== 'string') {
    const reason = `the path is refused: ${path.details}`;
    steps.push({ stage: 'route', subject: head.path, verdict: 'rejected', reason });
    return { kind: 'reply', status: path.status, location: path.headers.find(([name]) => name === 'location')?.[1] };
  }
  const judged = path === head.path ? head : withPath(head, path);
  const plan = explainRoute(judged, table, explainer, steps);
  return plan === undefined ? codeOutcome('NO_ROUTE') : explainPlan(plan, judged, host, port, explainer, steps);
}

function routeTableOf(
  target: Extract<OutboundListener['target'], { kind: 'http' }>,
  snapshot: Snapshot,
): RouteTable | undefined {
  return target.inlineRoutes ?? snapshot.routeTable(target.routeName);
}

/** Services share the listener of a port; the virtual host tells which one is meant. */
function listenerStep(
  listener: OutboundListener,
  host: string,
  port: number,
  explainer: OutboundExplainer,
  virtualHost: string | undefined,
): ExplainStep {
  const { target } = listener;
  return {
    stage: 'listener',
    subject: listener.name,
    verdict: 'chosen',
    reason:
      target.kind === 'http'
        ? `takes ${host}:${port}; routes from ${target.routeName}`
        : `takes ${host}:${port} as TCP`,
    origin:
      explainer.originOf(LISTENER_TYPE_URL, listener.name, virtualHost) ??
      explainer.originOf(LISTENER_TYPE_URL, listener.name),
  };
}

function explainRoute(
  head: RequestHead,
  table: RouteTable,
  explainer: OutboundExplainer,
  steps: ExplainStep[],
): RoutePlan | undefined {
  const virtualHost = table.virtualHost(head.authority);
  const subject = virtualHost?.name ?? head.authority;
  if (virtualHost === undefined) {
    steps.push({
      stage: 'virtual-host',
      subject,
      verdict: 'rejected',
      reason: `no domain of ${table.name} takes ${head.authority}`,
    });
    return undefined;
  }
  const origin = explainer.originOf(ROUTE_TYPE_URL, table.name, virtualHost.name);
  steps.push({
    stage: 'virtual-host',
    subject,
    verdict: 'chosen',
    reason: `its domains take ${head.authority}`,
    origin,
  });
  const explained = virtualHost.explain(head, MIDDLE);
  for (const step of explained.steps) {
    // A route is told by its place: most have no name of their own.
    const index = step.facts?.['index'];
    const detail = typeof index === 'number' ? `${virtualHost.name}/${index}` : step.subject;
    steps.push({ ...step, origin: step.origin ?? explainer.originOf(ROUTE_TYPE_URL, table.name, detail) ?? origin });
  }
  return explained.plan;
}

function explainPlan(
  plan: RoutePlan,
  head: RequestHead,
  host: string,
  port: number,
  explainer: OutboundExplainer,
  steps: ExplainStep[],
): ExplainOutcome {
  const origin = explainer.originOf(ROUTE_TYPE_URL, plan.tableName, `${plan.virtualHostName}/${plan.index}`);
  for (const filter of plan.filters) {
    const { verdict, reason } = filter.explain(outboundFilterRequest(head));
    steps.push({ stage: 'filter', subject: filter.name, verdict, reason, origin });
  }
  const { action } = plan;
  switch (action.kind) {
    case 'redirect':
      return { kind: 'reply', status: action.status, location: action.location(head) };
    case 'direct-response':
      return { kind: 'reply', status: action.status, location: undefined };
    case 'forward':
      steps.push(timeoutStep(action, origin), retryStep(action, head, explainer.retryNonIdempotent, origin));
      return explainClusters(
        action.clusters.entries,
        action.clusters.totalWeight,
        host,
        port,
        explainer,
        steps,
        action,
      );
  }
}

/** The same request after the listener normalised its path. */
function withPath(head: RequestHead, path: string): RequestHead {
  const { method, authority, scheme } = head;
  return { method, path, authority, scheme, header: (name) => (name === ':path' ? path : head.header(name)) };
}

function outboundFilterRequest(head: RequestHead): FilterRequest {
  return {
    direction: 'outbound',
    method: head.method,
    path: head.path,
    authority: head.authority,
    scheme: head.scheme,
    header: (name) => head.header(name),
    normalizedPath: head.path,
    peerPrincipal: undefined,
    sourceIp: undefined,
    sourcePort: undefined,
    remoteIp: undefined,
    destinationIp: undefined,
    destinationPort: undefined,
    serverName: undefined,
    dynamicMetadata: undefined,
  };
}

function failure(
  code: ErrorCode,
  stage: ExplainStep['stage'],
  subject: string,
  reason: string,
  steps: ExplainStep[],
): ExplainOutcome {
  steps.push({ stage, subject, verdict: 'rejected', reason });
  return codeOutcome(code);
}

function codeOutcome(code: ErrorCode): ExplainOutcome {
  return { kind: 'error', code, status: ERROR_KINDS[code].httpStatus };
}

function outcomeReason(outcome: ExplainOutcome): string {
  switch (outcome.kind) {
    case 'forward':
      return `sent to ${outcome.clusters.map(({ name, share }) => `${name} (${(100 * share).toFixed(1)} %)`).join(', ')}`;
    case 'reply':
      return outcome.location === undefined
        ? `answered ${outcome.status} on the spot`
        : `redirected (${outcome.status}) to ${outcome.location}`;
    case 'passthrough':
      return `passed through to ${outcome.host}:${outcome.port} unchanged`;
    case 'error':
      return `answered ${outcome.status} (${outcome.code})`;
  }
}
