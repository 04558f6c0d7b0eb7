// What happens to a request between the socket and the application: hostile input, chain, normalisation, header hygiene, context, filters.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { HttpFilter } from '../../filters/http-filter.js';
import type { DownstreamSecurity } from '../../identity/connection-security.js';
import type { InboundHttp } from '../../snapshot/inbound-snapshot.js';
import type { Snapshot } from '../../snapshot/snapshot.js';
import type { RequestContext } from '../../telemetry/request-context.js';
import type { Admission } from '../admission.js';
import type { InboundConnection } from '../inbound-connection.js';
import type { InboundSettings } from '../inbound-settings.js';
import type { MeshRequestInfo } from '../mesh-request.js';
import { cleanHeaders } from './header-hygiene.js';
import { type ExchangeTools, InboundExchange } from './inbound-exchange.js';
import { InboundRequest } from './inbound-request.js';
import { errorReply } from './local-reply.js';
import { headerCount, readHeader, setHeader } from './request-headers.js';
import { normalizeTarget, readTarget } from './request-target.js';

export interface PipelineOptions extends ExchangeTools {
  readonly snapshot: () => Snapshot;
  readonly security: DownstreamSecurity;
  readonly settings: InboundSettings;
}

/** Connection manager settings where no configuration has any: nothing is rewritten, nothing about clients is believed. */
const PLAIN_HTTP = {
  filters: [],
  normalizePath: false,
  mergeSlashes: false,
  escapedSlashes: 'keep',
  forwardClientCert: 'sanitize',
} as const satisfies Partial<InboundHttp>;

export class InboundPipeline {
  readonly #options: PipelineOptions;
  /** Responses that have not ended. */
  readonly #active = new Set<ServerResponse>();
  #draining = false;

  constructor(options: PipelineOptions) {
    this.#options = options;
  }

  get activeRequests(): number {
    return this.#active.size;
  }

  /** From now on every response tells its connection to close. */
  beginDrain(): void {
    this.#draining = true;
    for (const response of this.#active) closeAfter(response);
  }

  /**
   * Runs the mesh's policies for a request and then `next`, inside the request's context and with `request.mesh` set. Where policy answers itself, `next`
   * is not called. `next` may throw or return a promise: the request is answered with 500 then.
   */
  handle(request: IncomingMessage, response: ServerResponse, connection: InboundConnection, next: () => unknown): void {
    const admitted = this.#admit(connection);
    if (admitted === undefined) {
      connection.socket.destroy();
      return;
    }
    this.#track(response);
    const ended = (): void => {
      this.#active.delete(response);
    };
    const exchange = new InboundExchange(this.#options, request, response, connection, ended);
    const handler = admitted.kind === 'chain' ? admitted.chain.handler : undefined;
    const http = handler?.kind === 'http' ? handler.http : undefined;
    const target = this.#readHead(request, response, exchange, http ?? PLAIN_HTTP);
    if (target === undefined) return;
    const cleaned = this.#clean(request, connection, http ?? PLAIN_HTTP);
    const seen = new InboundRequest(request, connection, target.path, target.authority, cleaned);
    exchange.call.path = target.path;
    exchange.call.authority = target.authority;
    if (connection.peer !== undefined) exchange.call.peerMetadata = readHeader(request, 'x-envoy-peer-metadata') ?? '';
    const route = http === undefined ? NO_ROUTES : http.filtersFor(seen);
    const context = this.#context(seen, exchange, route?.timeoutMs ?? 0);
    if (route === undefined) {
      exchange.run(seen, [NO_ROUTE_FILTER], context, next);
      return;
    }
    exchange.call.routeName = route.routeName;
    request.mesh = infoOf(connection, context, exchange.signal);
    exchange.run(seen, route.filters, context, next);
  }

  /** Undefined: this connection serves no more requests. */
  #admit(connection: InboundConnection): Exclude<Admission, { kind: 'refuse' }> | undefined {
    const admitted = connection.admission(this.#options.snapshot(), this.#options.settings.awaitsFeed);
    if (admitted.kind === 'refuse' || connection.revoked) return undefined;
    const distrust = connection.distrust(this.#options.security);
    if (distrust === undefined) return admitted;
    const { destinationPort: port, sourceIp } = connection.facts;
    this.#options.onEvent({ kind: 'connection-revoked', port, sourceIp, reason: distrust });
    return undefined;
  }

  #track(response: ServerResponse): void {
    this.#active.add(response);
    if (this.#draining) closeAfter(response);
  }

  /** Refuses malformed targets and hosts; rewrites `request.url` so that the application sees the path that policies saw. */
  #readHead(
    request: IncomingMessage,
    response: ServerResponse,
    exchange: InboundExchange,
    http: Pick<InboundHttp, 'normalizePath' | 'mergeSlashes' | 'escapedSlashes'>,
  ): { readonly path: string; readonly authority: string } | undefined {
    const target = readTarget(request.method ?? 'GET', request.url ?? '');
    if (target.kind === 'refused') return refuse(exchange, target.details);
    if (headerCount(request, 'host') > 1) return refuse(exchange, 'multiple_hosts');
    if (target.authority !== undefined) setHeader(request, 'host', target.authority);
    const authority = (request.headers.host ?? '').toLowerCase();
    if (!AUTHORITY.test(authority)) return refuse(exchange, 'invalid_host');
    const normal = normalizeTarget(target.path, http);
    switch (normal.kind) {
      case 'refused':
        return refuse(exchange, normal.details);
      case 'redirect':
        response.setHeader('location', normal.path);
        exchange.reply({ ...errorReply('INVALID_REQUEST', 'path_normalization_failed'), status: 307, flag: '' });
        return undefined;
      case 'path':
        request.url = normal.path;
        return { path: normal.path, authority };
    }
  }

  #clean(
    request: IncomingMessage,
    connection: InboundConnection,
    http: Pick<InboundHttp, 'forwardClientCert'>,
  ): string {
    return cleanHeaders(request, connection, http.forwardClientCert, this.#options.settings.localSpiffeId());
  }

  /** The inherited context; a route's timeout is a deadline too. */
  #context(request: InboundRequest, exchange: InboundExchange, timeoutMs: number): RequestContext {
    const nowMs = exchange.call.startMs;
    const context = this.#options.telemetry.contextFor(request, nowMs, exchange.signal);
    const routeDeadlineMs = timeoutMs > 0 ? nowMs + timeoutMs : undefined;
    if (routeDeadlineMs === undefined || (context.deadlineMs ?? Infinity) <= routeDeadlineMs) return context;
    return { ...context, deadlineMs: routeDeadlineMs };
  }
}

/** reg-name, IPv4 or bracketed IPv6, with an optional port (RFC 9110 §7.2). Empty is legal where the target has no authority. */
const AUTHORITY = /^(?:[a-z0-9\-._~!$&'()*+,;=%]*|\[[0-9a-f:.%a-z]+\])(?::\d{0,5})?$/;

const NO_ROUTES = { routeName: '', filters: [] as readonly HttpFilter[], timeoutMs: 0 };

/** Envoy: a request that no route takes is a 404 with flag NR. */
const NO_ROUTE_FILTER: HttpFilter = {
  name: 'router',
  typeUrl: '',
  decide: () => errorReply('NO_ROUTE', 'route_not_found'),
  explain: () => ({ verdict: 'rejected', reason: 'no route takes this request' }),
};

function refuse(exchange: InboundExchange, details: string): undefined {
  exchange.reply(errorReply('INVALID_REQUEST', details));
  return undefined;
}

function infoOf(connection: InboundConnection, context: RequestContext, signal: AbortSignal): MeshRequestInfo {
  const { requestId, deadlineMs } = context;
  return { peer: connection.peer, requestId, deadlineMs, signal, context };
}

function closeAfter(response: ServerResponse): void {
  if (!response.headersSent) response.setHeader('connection', 'close');
}
