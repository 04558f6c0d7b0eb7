// What happens to a request between the socket and the application: hostile input, chain, normalisation, header hygiene, context, filters.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { HttpFilter } from '../../filters/http-filter.js';
import type { DownstreamSecurity } from '../../identity/connection-security.js';
import type { PeerIdentity } from '../../identity/identity-provider.js';
import type { InboundHttp, InboundRoute } from '../../snapshot/inbound-snapshot.js';
import type { Snapshot } from '../../snapshot/snapshot.js';
import type { CallRecord } from '../../telemetry/call-record.js';
import type { SignalSource } from '../../telemetry/call-telemetry.js';
import type { RequestContext } from '../../telemetry/request-context.js';
import type { Admission } from '../admission.js';
import type { InboundConnection } from '../inbound-connection.js';
import type { InboundSettings } from '../inbound-settings.js';
import type { MeshRequestInfo } from '../mesh-request.js';
import { ActiveExchanges } from './active-exchanges.js';
import { cleanHeaders } from './header-hygiene.js';
import { FOUND, scanHeaders } from './header-scan.js';
import { recordRoute } from './inbound-call.js';
import { type ExchangeTools, InboundExchange } from './inbound-exchange.js';
import { InboundRequest } from './inbound-request.js';
import { errorReply } from './local-reply.js';
import { type Head, readHead } from './request-head.js';
import { readHeader, removeHeaders } from './request-headers.js';

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
  readonly #active = new ActiveExchanges();
  #draining = false;

  constructor(options: PipelineOptions) {
    this.#options = options;
  }

  /** Requests whose responses have not ended. */
  get activeRequests(): number {
    return this.#active.size;
  }

  /** From now on every response tells its connection to close. */
  beginDrain(): void {
    this.#draining = true;
    for (const exchange of this.#active) exchange.closeAfter();
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
    const exchange = new InboundExchange(this.#options, request, response, connection, this.#active);
    if (this.#draining || connection.closing) exchange.closeAfter();
    const handler = admitted.kind === 'chain' ? admitted.chain.handler : undefined;
    const http = handler?.kind === 'http' ? handler.http : undefined;
    try {
      const found = scanHeaders(request.rawHeaders);
      const head = readHead(request, found, connection, http ?? PLAIN_HTTP);
      if (head.kind === 'head') this.#route(request, response, connection, exchange, head, found, http, next);
      else {
        if (head.location !== undefined) response.setHeader('location', head.location);
        exchange.reply(head.reply);
      }
    } catch (error) {
      exchange.refuseDefect(error);
    }
  }

  #route(
    request: IncomingMessage,
    response: ServerResponse,
    connection: InboundConnection,
    exchange: InboundExchange,
    head: Head,
    found: number,
    http: InboundHttp | undefined,
    next: () => unknown,
  ): void {
    const { call } = exchange;
    call.path = head.path;
    call.authority = head.authority;
    if ((found & FOUND.peerMetadata) !== 0) this.#exchangeMetadata(request, response, connection, call);
    const localSpiffeId = this.#options.settings.localSpiffeId();
    const client = cleanHeaders(request, found, connection, http ?? PLAIN_HTTP, localSpiffeId);
    const seen = new InboundRequest(request, connection, head.path, head.authority, client);
    const route = http === undefined ? NO_ROUTES : http.filtersFor(seen);
    const { telemetry } = this.#options;
    const latestMs = route !== undefined && route.timeoutMs > 0 ? call.startMs + route.timeoutMs : undefined;
    const context = telemetry.contextFor(new HeaderView(request.rawHeaders), call.startMs, exchange, latestMs);
    if (route === undefined) {
      exchange.run(seen, [NO_ROUTE_FILTER], context, next);
      return;
    }
    recordRoute(call, route, connection);
    request.mesh = new RequestFacts(connection.peer, context, exchange);
    exchange.run(seen, route.filters, context, next);
  }

  /**
   * Istio's metadata exchange: who calls is taken out of the headers for the labels, and answered in kind, to who asked. Only proven peers are believed,
   * and only they learn anything.
   */
  #exchangeMetadata(
    request: IncomingMessage,
    response: ServerResponse,
    connection: InboundConnection,
    call: CallRecord,
  ): void {
    if (connection.peer === undefined) return;
    call.peerMetadata = readHeader(request, PEER_METADATA) ?? '';
    removeHeaders(request, isPeerMetadata);
    const own = this.#options.telemetry.peerMetadata;
    if (own === undefined) return;
    response.setHeader(PEER_METADATA_ID, own.id);
    response.setHeader(PEER_METADATA, own.metadata);
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
}

const PEER_METADATA = 'x-envoy-peer-metadata';
const PEER_METADATA_ID = 'x-envoy-peer-metadata-id';
const isPeerMetadata = (name: string): boolean => name === PEER_METADATA || name === PEER_METADATA_ID;

const NO_ROUTES: InboundRoute = { routeName: '', filters: [], timeoutMs: 0 };

/** Envoy: a request that no route takes is a 404 with flag NR. */
const NO_ROUTE_FILTER: HttpFilter = {
  name: 'router',
  typeUrl: '',
  decide: () => errorReply('NO_ROUTE', 'route_not_found'),
  explain: () => ({ verdict: 'rejected', reason: 'no route takes this request' }),
};

/** Headers alone, so that a context that outlives its request does not keep the request. */
class HeaderView {
  constructor(readonly rawHeaders: readonly string[]) {}

  header(name: string): string | undefined {
    return readHeader(this, name);
  }
}

/** `request.mesh`: each part is made when it is first asked for. */
class RequestFacts implements MeshRequestInfo {
  constructor(
    readonly peer: PeerIdentity | undefined,
    readonly context: RequestContext,
    private readonly source: SignalSource,
  ) {}

  get requestId(): string {
    return this.context.requestId;
  }

  get deadlineMs(): number | undefined {
    return this.context.deadlineMs;
  }

  get signal(): AbortSignal {
    return this.source.signal;
  }
}
