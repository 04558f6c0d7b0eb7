// Explains an inbound request: which filter chain takes the connection, and what each policy says of the caller.
import { LISTENER_TYPE_URL, VIRTUAL_INBOUND_LISTENER, type ConfigOrigin, type ResourceTypeUrl } from '@heddle/xds';
import type { ExplainStep } from '../explain-types.js';
import type { FilterRequest } from '../filters/http-filter.js';
import type { RequestHead } from '../request-head.js';
import type { ConnectionFacts, FilterChainSnapshot } from '../snapshot/inbound-snapshot.js';
import type { Snapshot } from '../snapshot/snapshot.js';
import type { ExplainRequest } from './explanation.js';
import { imaginedRequest } from './request-head-of.js';

export interface ExplainInboundRequest extends ExplainRequest {
  /** Port that the application listens on; default the port of the URL. */
  readonly port?: number;
  /** SPIFFE id that the caller's certificate proves; without one the call is plain text. */
  readonly principal?: string;
  readonly sourceIp?: string;
}

export interface InboundExplanation {
  readonly allowed: boolean;
  readonly steps: readonly ExplainStep[];
}

export interface InboundExplainer {
  readonly snapshot: Snapshot;
  originOf(typeUrl: ResourceTypeUrl, name: string, detail?: string): ConfigOrigin | undefined;
}

/** Throws MeshError INVALID_REQUEST when the URL is not absolute. Takes no tokens and rolls no dice. */
export function explainInbound(request: ExplainInboundRequest, explainer: InboundExplainer): InboundExplanation {
  const { head, port: urlPort } = imaginedRequest(request);
  const facts = factsOf(request, request.port ?? urlPort);
  const steps: ExplainStep[] = [];
  const { inbound } = explainer.snapshot;
  if (inbound === undefined) {
    steps.push({
      stage: 'listener',
      subject: VIRTUAL_INBOUND_LISTENER,
      verdict: 'info',
      reason: 'the feed sends no inbound policy',
    });
    return { allowed: true, steps };
  }
  const chain = inbound.chainFor(facts);
  steps.push(chainStep(chain, facts, explainer));
  if (chain === undefined) return { allowed: false, steps };
  return { allowed: explainChain(chain, head, request, facts, explainer, steps), steps };
}

function explainChain(
  chain: FilterChainSnapshot,
  head: RequestHead,
  request: ExplainInboundRequest,
  facts: ConnectionFacts,
  explainer: InboundExplainer,
  steps: ExplainStep[],
): boolean {
  if (chain.handler.kind === 'tcp') {
    steps.push({
      stage: 'outcome',
      subject: 'tcp',
      verdict: 'info',
      reason: 'bytes go to the application as they are',
    });
    return true;
  }
  const route = chain.handler.http.filtersFor(head);
  const filterRequest = inboundFilterRequest(head, request, facts);
  for (const filter of route?.filters ?? chain.handler.http.filters) {
    const { verdict, reason, policy } = filter.explain(filterRequest);
    const origin =
      policy === undefined ? undefined : explainer.originOf(LISTENER_TYPE_URL, VIRTUAL_INBOUND_LISTENER, policy);
    steps.push({ stage: 'policy', subject: policy ?? filter.name, verdict, reason, origin });
    if (verdict === 'rejected') return false;
  }
  return true;
}

function chainStep(
  chain: FilterChainSnapshot | undefined,
  facts: ConnectionFacts,
  explainer: InboundExplainer,
): ExplainStep {
  const how = facts.transport === 'tls' ? 'mutual TLS' : 'plain text';
  const origin = explainer.originOf(LISTENER_TYPE_URL, VIRTUAL_INBOUND_LISTENER, String(facts.destinationPort));
  const subject = chain?.name ?? VIRTUAL_INBOUND_LISTENER;
  if (chain === undefined) {
    return {
      stage: 'listener',
      subject,
      verdict: 'rejected',
      reason: `port ${facts.destinationPort} takes no ${how}: the connection is reset`,
      origin,
    };
  }
  return {
    stage: 'listener',
    subject,
    verdict: 'chosen',
    reason: `takes ${how} on port ${facts.destinationPort}`,
    origin,
  };
}

function factsOf({ principal, sourceIp }: ExplainInboundRequest, destinationPort: number): ConnectionFacts {
  const secure = principal !== undefined;
  return {
    destinationPort,
    destinationIp: '127.0.0.1',
    sourceIp: sourceIp ?? '127.0.0.1',
    sourcePort: 0,
    transport: secure ? 'tls' : 'raw_buffer',
    serverName: '',
    applicationProtocols: secure ? ['istio-http/1.1', 'istio', 'http/1.1'] : ['http/1.1'],
  };
}

function inboundFilterRequest(
  head: RequestHead,
  request: ExplainInboundRequest,
  facts: ConnectionFacts,
): FilterRequest {
  return {
    direction: 'inbound',
    method: head.method,
    path: head.path,
    authority: head.authority,
    scheme: head.scheme,
    header: (name) => head.header(name),
    normalizedPath: head.path,
    peerPrincipal: request.principal,
    sourceIp: facts.sourceIp,
    sourcePort: undefined,
    remoteIp: facts.sourceIp,
    destinationIp: facts.destinationIp,
    destinationPort: facts.destinationPort,
    serverName: facts.serverName,
    dynamicMetadata: undefined,
  };
}
