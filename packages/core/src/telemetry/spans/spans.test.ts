import { type Context, ROOT_CONTEXT, SpanKind, SpanStatusCode, context, propagation, trace } from '@opentelemetry/api';
import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { seededDraws } from '../../draws.js';
import { callRecord, requestHead } from '../../testing/call-records.js';
import { VirtualClock } from '../../testing/virtual-clock.js';
import type { SpanOutcome } from '../call-telemetry.js';
import { createTelemetry } from '../create-telemetry.js';
import { parseTraceparent } from '../propagation/traceparent.js';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';
const OK: SpanOutcome = { status: 200, grpcStatus: -1, flags: '', upstreamAddress: '127.0.0.2:9080', error: undefined };

const service = (workload: string) =>
  createTelemetry({
    node: {
      workload: `${workload}-v1`,
      namespace: 'default',
      labels: { app: workload, version: 'v1' },
      serviceAccount: workload,
      clusterId: 'Kubernetes',
      trustDomain: 'cluster.local',
      version: '0.1.0',
    },
    ownPrincipal: () => `spiffe://cluster.local/ns/default/sa/${workload}`,
    clock: new VirtualClock(),
    draws: seededDraws(7),
    traceSampling: 0,
  });

/** One hop: an inbound request with `headers`, one outbound call; returns the headers that leave. */
function hop(telemetry: ReturnType<typeof service>, headers: readonly (readonly [string, string])[]): string[] {
  const inbound = callRecord({ reporter: 'destination' });
  const request = telemetry.inbound.contextFor(requestHead(headers), 0, undefined);
  const server = telemetry.inbound.startServerSpan(inbound, request);
  const sent = telemetry.inbound.run(request, server, () => {
    const call = callRecord();
    const current = telemetry.outbound.currentContext();
    const client = telemetry.outbound.startAttemptSpan(call, current, 0);
    const flat: string[] = [];
    telemetry.outbound.writeHeaders(flat, current, client, () => undefined);
    client?.end(OK);
    return flat;
  });
  server?.end(OK);
  return sent;
}

const pairs = (flat: readonly string[]) =>
  Array.from({ length: flat.length / 2 }, (_, index) => [flat[2 * index]!, flat[2 * index + 1]!] as const);
const traceparentsOf = (flat: readonly string[]) =>
  pairs(flat)
    .filter(([name]) => name === 'traceparent')
    .map(([, value]) => parseTraceparent(value)!);

describe('spans with an OpenTelemetry SDK', () => {
  let exporter: InMemorySpanExporter;
  let provider: NodeTracerProvider;
  const spans = () => exporter.getFinishedSpans();

  beforeEach(() => {
    exporter = new InMemorySpanExporter();
    provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
    provider.register();
  });
  afterEach(async () => {
    await provider.shutdown();
    trace.disable();
    context.disable();
    propagation.disable();
  });

  it('shows two spans a hop under one trace id, with the right parents, across three services', () => {
    let headers: readonly (readonly [string, string])[] = [];
    for (const name of ['productpage', 'reviews', 'ratings']) headers = pairs(hop(service(name), headers));
    expect(spans()).toHaveLength(6);
    expect(new Set(spans().map((span) => span.spanContext().traceId)).size).toBe(1);
    const byStart = ['productpage', 'reviews', 'ratings'].flatMap((name) =>
      [SpanKind.SERVER, SpanKind.CLIENT].map((kind) =>
        spans().find((span) => span.attributes['istio.canonical_service'] === name && span.kind === kind)!,
      ),
    );
    expect(byStart[0]!.parentSpanContext).toBeUndefined();
    for (let index = 1; index < byStart.length; index++)
      expect(byStart[index]!.parentSpanContext?.spanId).toBe(byStart[index - 1]!.spanContext().spanId);
  });

  it('sends one traceparent, which names the client span', () => {
    const sent = hop(service('productpage'), [
      ['traceparent', `00-${TRACE}-${PARENT}-01`],
      ['tracestate', 'foo=1'],
    ]);
    const client = spans().find((span) => span.kind === SpanKind.CLIENT)!;
    expect(traceparentsOf(sent)).toMatchObject([
      { traceId: TRACE, spanId: client.spanContext().spanId, sampled: true },
    ]);
    expect(pairs(sent)).toContainEqual(['tracestate', 'foo=1']);
  });

  it("records nothing and says so downstream when the caller's trace is not sampled", () => {
    const sent = hop(service('productpage'), [['traceparent', `00-${TRACE}-${PARENT}-00`]]);
    expect(spans()).toEqual([]);
    expect(traceparentsOf(sent)).toMatchObject([{ traceId: TRACE, sampled: false }]);
  });

  it('obeys a B3 decision that came without a trace', () => {
    expect(traceparentsOf(hop(service('a'), [['b3', '0']]))[0]!.sampled).toBe(false);
    expect(spans()).toEqual([]);
  });

  it("carries Envoy's and Istio's tags, and marks a failed attempt", () => {
    const telemetry = service('productpage');
    const call = callRecord({ protocol: 'grpc', path: '/x'.repeat(400), status: 200, flags: 'UF,URX' });
    const span = telemetry.outbound.startAttemptSpan(call, undefined, 0)!;
    const failed = { ...OK, grpcStatus: 14, flags: 'UF,URX', error: 'connect ECONNREFUSED' };
    span.end(failed);
    span.end(OK);
    const [client, ...others] = spans();
    expect(others).toEqual([]);
    expect(client!.name).toBe('GET details.default.svc.cluster.local');
    expect(client!.status).toEqual({ code: SpanStatusCode.ERROR, message: 'connect ECONNREFUSED' });
    expect(client!.attributes).toMatchObject({
      component: 'proxy',
      node_id: 'productpage-v1.default',
      'http.method': 'GET',
      'http.url': `http://details:9080${'/x'.repeat(128)}`,
      'http.status_code': 200,
      'guid:x-request-id': call.requestId,
      'grpc.status_code': 14,
      response_flags: 'UF,URX',
      upstream_cluster: call.cluster,
      upstream_address: '127.0.0.2:9080',
      error: true,
      'istio.canonical_service': 'productpage',
      'istio.canonical_revision': 'v1',
      'istio.namespace': 'default',
      'istio.cluster_id': 'Kubernetes',
    });
  });

  it('adopts the server span of an http instrumentation instead of starting a second one', () => {
    const telemetry = service('productpage');
    const theirs = trace.getTracer('http').startSpan('GET', { kind: SpanKind.SERVER }, ROOT_CONTEXT);
    const sent = context.with(trace.setSpan(ROOT_CONTEXT, theirs), () => hop(telemetry, []));
    expect(spans().map((span) => span.kind)).toEqual([SpanKind.CLIENT]);
    theirs.end();
    const server = spans().find((span) => span.kind === SpanKind.SERVER)!;
    expect(server.attributes['response_flags']).toBe('-');
    expect(spans()[0]!.parentSpanContext?.spanId).toBe(server.spanContext().spanId);
    expect(traceparentsOf(sent)[0]!.traceId).toBe(server.spanContext().traceId);
  });

  it('does not hang requests under a span in which the server happened to start', () => {
    const boot = trace.getTracer('app').startSpan('boot');
    context.with(trace.setSpan(ROOT_CONTEXT, boot), () => hop(service('productpage'), []));
    const server = spans().find((span) => span.kind === SpanKind.SERVER)!;
    expect(server.spanContext().traceId).not.toBe(boot.spanContext().traceId);
    boot.end();
  });

  it('suppresses what a client instrumentation would trace a second time, during the I/O only', () => {
    const client = service('productpage').outbound.startAttemptSpan(callRecord(), undefined, 0)!;
    const startTheirs = (name: string) => {
      trace.getTracer('undici').startSpan(name, { kind: SpanKind.CLIENT }).end();
      const injected: Record<string, string> = {};
      propagation.inject(context.active(), injected);
      return injected;
    };
    expect(client.send!(startTheirs, 'inside')).toEqual({});
    startTheirs('outside');
    client.end(OK);
    expect(spans().map((span) => span.name)).toEqual(['outside', 'GET details.default.svc.cluster.local']);
  });

  it('makes a retry that starts in a timer a sibling of the first attempt', () => {
    const telemetry = service('productpage');
    const call = callRecord();
    const app = trace.getTracer('app').startSpan('app');
    const first = context.with(trace.setSpan(ROOT_CONTEXT, app), () =>
      telemetry.outbound.startAttemptSpan(call, undefined, 0),
    )!;
    const foreign = trace.getTracer('app').startSpan('foreign');
    const second = context.with(trace.setSpan(ROOT_CONTEXT, foreign), () =>
      telemetry.outbound.startAttemptSpan(call, undefined, 1),
    )!;
    expect(second.trace.traceId).toBe(first.trace.traceId);
    second.end(OK);
    expect(spans()[0]!.parentSpanContext?.spanId).toBe(app.spanContext().spanId);
  });

  it('sends the baggage that the application set, and keeps what came in', () => {
    const telemetry = service('productpage');
    const request = telemetry.inbound.contextFor(requestHead([['baggage', 'tenant=a,user=old;p=1']]), 0, undefined);
    const active: Context = propagation.setBaggage(
      context.active(),
      propagation.createBaggage({ user: { value: 'n w' } }),
    );
    const flat: string[] = [];
    context.with(active, () => telemetry.outbound.writeHeaders(flat, request, undefined, () => undefined));
    expect(pairs(flat)).toContainEqual(['baggage', 'user=n%20w,tenant=a']);
  });

  it('stops with the provider: nothing is recorded after it was unregistered', () => {
    const telemetry = service('productpage');
    trace.disable();
    expect(telemetry.outbound.startAttemptSpan(callRecord(), undefined, 0)).toBeUndefined();
  });
});

describe('propagation without an SDK', () => {
  it('keeps one trace id across services, with a new span id a call and the flag as it came', () => {
    const first = hop(service('a'), [['traceparent', `00-${TRACE}-${PARENT}-01`]]);
    const second = hop(service('b'), pairs(first));
    const ids = [first, second].map((flat) => traceparentsOf(flat)[0]!);
    expect(ids.every((id) => id.traceId === TRACE && id.sampled)).toBe(true);
    expect(new Set([PARENT, ...ids.map((id) => id.spanId)]).size).toBe(3);
  });

  it('gives all calls of a request that brought nothing one trace and one request id', () => {
    const telemetry = service('a');
    const request = telemetry.inbound.contextFor(requestHead([]), 0, undefined);
    const calls = [0, 1].map(() => {
      const flat: string[] = [];
      telemetry.outbound.writeHeaders(flat, request, undefined, () => undefined);
      return Object.fromEntries(pairs(flat));
    });
    expect(calls[0]!['x-request-id']).toBe(calls[1]!['x-request-id']);
    expect(calls[0]!['traceparent']!.slice(0, 35)).toBe(calls[1]!['traceparent']!.slice(0, 35));
    expect(calls[0]!['traceparent']).not.toBe(calls[1]!['traceparent']);
  });

  it('samples about the configured share of the traces that begin here', () => {
    const telemetry = createTelemetry({
      node: { workload: 'a', namespace: 'n', labels: {}, serviceAccount: 's', clusterId: 'K', trustDomain: 't' },
      ownPrincipal: () => undefined,
      clock: new VirtualClock(),
      draws: seededDraws(42),
      traceSampling: 0.1,
    });
    let sampled = 0;
    for (let count = 0; count < 20_000; count++)
      if (telemetry.inbound.contextFor(requestHead([]), 0, undefined).trace!.sampled) sampled++;
    expect(sampled / 20_000).toBeGreaterThan(0.09);
    expect(sampled / 20_000).toBeLessThan(0.11);
  });

  it('forwards request id, baggage and configured headers, and leaves alone what the application set', () => {
    const telemetry = createTelemetry({
      node: { workload: 'a', namespace: 'n', labels: {}, serviceAccount: 's', clusterId: 'K', trustDomain: 't' },
      ownPrincipal: () => undefined,
      clock: new VirtualClock(),
      draws: seededDraws(1),
      forwardHeaders: ['X-Canary-User', 'end-user'],
    });
    const request = telemetry.inbound.contextFor(
      requestHead([
        ['x-request-id', 'abc'],
        ['baggage', 'k=v'],
        ['x-canary-user', 'u1'],
        ['end-user', 'jason'],
      ]),
      50,
      undefined,
    );
    const flat: string[] = [];
    const application: Record<string, string> = { 'end-user': 'mary', 'x-request-id': 'mine' };
    expect(telemetry.outbound.writeHeaders(flat, request, undefined, (name) => application[name])).toBe('mine');
    const sent = pairs(flat).filter(([name]) => name !== 'traceparent');
    expect(sent).toEqual([
      ['baggage', 'k=v'],
      ['x-canary-user', 'u1'],
    ]);
    expect(telemetry.outbound.writeHeaders([], request, undefined, () => undefined)).toBe('abc');
  });

  it("makes the application's own traceparent the parent, and sends that name once", () => {
    const application: Record<string, string> = { traceparent: `00-${TRACE}-${PARENT}-01` };
    const flat = ['accept', '*/*', 'traceparent', application['traceparent']!, 'x', 'y'];
    service('a').outbound.writeHeaders(flat, undefined, undefined, (name) => application[name]);
    expect(traceparentsOf(flat)).toMatchObject([{ traceId: TRACE, sampled: true }]);
    expect(traceparentsOf(flat)[0]!.spanId).not.toBe(PARENT);
    expect(flat.slice(0, 4)).toEqual(['accept', '*/*', 'x', 'y']);
  });

  it('gives the attempts of a call outside of any request one trace and one request id', () => {
    const { outbound } = service('a');
    const root = outbound.rootContext!();
    const attempts = [1, 2].map(() => {
      const flat: string[] = [];
      const requestId = outbound.writeHeaders(flat, root, undefined, () => undefined);
      return `${requestId} ${traceparentsOf(flat)[0]!.traceId}`;
    });
    expect(attempts[0]).toBe(attempts[1]);
  });

  it('turns the wait that the caller announced into a deadline', () => {
    const request = service('a').inbound.contextFor(requestHead([['grpc-timeout', '250m']]), 1000, undefined);
    expect(request.deadlineMs).toBe(1250);
  });
});
