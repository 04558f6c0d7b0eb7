// Fault injection: delays and aborts a share of requests (Envoy: envoy.filters.http.fault). Outbound and inbound decide alike.
import { FAULT_TYPE_URL, type FaultAbort, type FaultDelay, type HTTPFault, HTTPFaultSchema } from '@heddle/xds';
import { ERROR_KINDS } from '../errors.js';
import { type CompiledHeader, compileHeaderMatcher } from '../matching/header-matcher.js';
import { configFault, durationMs, unpackConfig, withPath } from './filter-config.js';
import { chosen, fraction } from './fractional-percent.js';
import type {
  FilterAction,
  FilterBuild,
  FilterContext,
  FilterKind,
  FilterRequest,
  HttpFilter,
  ReplyAction,
} from './http-filter.js';

interface Delay {
  readonly delayMs: number;
  readonly share: number;
}

interface Abort {
  readonly reply: ReplyAction;
  readonly share: number;
}

/** Requests that are being delayed right now, of one filter. */
interface ActiveFaults {
  count: number;
}

const NODE_HEADER = 'x-envoy-downstream-service-node';

export const faultFilterKind: FilterKind = {
  typeUrl: FAULT_TYPE_URL,
  perRouteTypeUrls: [FAULT_TYPE_URL],
  security: false,
  compile(config, override, build) {
    const fault = unpackConfig(HTTPFaultSchema, override ?? config, build.name);
    if (fault === undefined) return undefined;
    reportUnsupported(fault, build);
    const delay = compileDelay(fault.delay);
    const abort = compileAbort(fault.abort);
    return delay === undefined && abort === undefined ? undefined : new FaultFilter(fault, delay, abort, build);
  },
};

class FaultFilter implements HttpFilter {
  readonly name: string;
  readonly typeUrl = FAULT_TYPE_URL;
  readonly #delay: Delay | undefined;
  readonly #abort: Abort | undefined;
  readonly #headers: readonly CompiledHeader[];
  readonly #nodes: readonly string[];
  readonly #cluster: string;
  readonly #maxActive: number;
  readonly #active: ActiveFaults;

  constructor(fault: HTTPFault, delay: Delay | undefined, abort: Abort | undefined, build: FilterBuild) {
    this.name = build.name;
    this.#delay = delay;
    this.#abort = abort;
    this.#headers = fault.headers.map((matcher, i) => withPath(`headers[${i}]`, () => compileHeaderMatcher(matcher)));
    this.#nodes = fault.downstreamNodes;
    this.#cluster = fault.upstreamCluster;
    this.#maxActive = fault.maxActiveFaults ?? Number.POSITIVE_INFINITY;
    this.#active = build.state.stateFor(`${build.scope}/${build.name}/active-faults`, () => ({ count: 0 }));
  }

  decide(request: FilterRequest, { draw }: FilterContext): FilterAction | undefined {
    if (!this.#applies(request) || this.#active.count >= this.#maxActive) return undefined;
    const delay =
      this.#delay !== undefined && chosen(this.#delay.share, () => draw('fault-delay')) ? this.#delay : undefined;
    const abort =
      this.#abort !== undefined && chosen(this.#abort.share, () => draw('fault-abort')) ? this.#abort : undefined;
    if (delay === undefined) return abort?.reply;
    const active = this.#active;
    active.count++;
    return {
      kind: 'delay',
      delayMs: delay.delayMs,
      thenReply: abort?.reply,
      flag: 'DI',
      onDone: () => {
        active.count--;
      },
    };
  }

  explain(request: FilterRequest): ReturnType<HttpFilter['explain']> {
    if (!this.#applies(request)) return { verdict: 'info', reason: 'the fault does not apply to this request' };
    const parts: string[] = [];
    if (this.#delay !== undefined) parts.push(`${percentText(this.#delay.share)} delayed by ${this.#delay.delayMs} ms`);
    if (this.#abort !== undefined)
      parts.push(`${percentText(this.#abort.share)} aborted with ${this.#abort.reply.status}`);
    return { verdict: 'info', reason: parts.join(', ') };
  }

  #applies(request: FilterRequest): boolean {
    if (this.#cluster !== '' && request.cluster !== this.#cluster) return false;
    if (this.#nodes.length > 0 && !this.#nodes.includes(request.header(NODE_HEADER) ?? '')) return false;
    return this.#headers.every((header) => header.matches(request));
  }
}

function compileDelay(delay: FaultDelay | undefined): Delay | undefined {
  const specifier = delay?.faultDelaySecifier;
  if (specifier?.case !== 'fixedDelay') return undefined;
  const delayMs = durationMs(specifier.value) ?? 0;
  if (delayMs < 0) throw configFault('delay.fixed_delay', `must not be negative, got ${delayMs} ms`);
  const share = fraction(delay?.percentage);
  return delayMs === 0 || share === 0 ? undefined : { delayMs, share };
}

function compileAbort(abort: FaultAbort | undefined): Abort | undefined {
  const share = fraction(abort?.percentage);
  if (abort === undefined || share === 0) return undefined;
  switch (abort.errorType.case) {
    case 'httpStatus': {
      const status = abort.errorType.value;
      if (status < 200 || status >= 600) throw configFault('abort.http_status', `must be in [200, 600), got ${status}`);
      return { share, reply: abortReply(status, undefined) };
    }
    case 'grpcStatus':
      // Envoy: a caller that doesn't speak gRPC is told 200.
      return { share, reply: abortReply(200, abort.errorType.value) };
    case 'headerAbort':
      return undefined;
    case undefined:
      throw configFault('abort.error_type', 'none of http_status, grpc_status is set');
  }
}

function abortReply(status: number, grpcStatus: number | undefined): ReplyAction {
  return {
    kind: 'reply',
    code: 'FAULT_ABORT',
    status,
    grpcStatus,
    headers: [],
    body: ERROR_KINDS.FAULT_ABORT.body,
    flag: ERROR_KINDS.FAULT_ABORT.flag,
    details: 'fault_filter_abort',
    policy: undefined,
  };
}

function reportUnsupported(fault: HTTPFault, build: FilterBuild): void {
  if (fault.delay?.faultDelaySecifier.case === 'headerDelay')
    build.unsupported('$.delay.header_delay', 'delays asked for by request headers are not injected');
  if (fault.abort?.errorType.case === 'headerAbort')
    build.unsupported('$.abort.header_abort', 'aborts asked for by request headers are not injected');
  if (fault.responseRateLimit !== undefined)
    build.unsupported('$.response_rate_limit', 'responses are not slowed down');
}

function percentText(share: number): string {
  return `${Number((share * 100).toFixed(4))} %`;
}
