// Own code per outbound call on a null transport: everything between `dispatch` and the pool, with a pool that answers at once.
// Usage: node bench/outbound-null-transport/run.mjs [calls] (after `npm run build`). Prints ns/call over a bare dispatch, best and median of the rounds.
import { readFileSync } from 'node:fs';
import { OutboundClient } from '../../packages/core/dist/outbound/outbound-client.js';
import { ClusterStates } from '../../packages/core/dist/cluster-state/cluster-states.js';
import { EndpointPool } from '../../packages/core/dist/transport/endpoint-pool.js';
import { seededDraws } from '../../packages/core/dist/draws.js';
import { systemClock } from '../../packages/core/dist/clock.js';
import * as fixture from '../../packages/core/dist/outbound/testing/snapshot-fixture.js';

const CALLS = Number(process.argv[2] ?? 200_000);
const ROUNDS = 7;
const controller = { abort() {}, pause() {}, resume() {}, aborted: false, paused: false, reason: null };
const chunk = Buffer.alloc(1024);
const trailers = {};

/** Answers like a pool would, without a socket. */
function answer(options, handler) {
  handler.onRequestStart(controller, {});
  handler.onResponseStart(controller, 200, { 'content-type': 'application/json', 'content-length': '1024' }, 'OK');
  handler.onResponseData(controller, chunk);
  handler.onResponseEnd(controller, trailers);
  return true;
}
EndpointPool.prototype.dispatch = answer;

const telemetry = {
  currentContext: () => undefined,
  startAttemptSpan: () => undefined,
  writeHeaders(headers) {
    headers.push('x-request-id', 'b6c1f2d0-0000-4000-8000-000000000001');
    return headers[headers.length - 1];
  },
  finish() {},
};

function mesh(withPolicies) {
  const draws = seededDraws(1);
  const states = new ClusterStates(systemClock, draws);
  const policies = withPolicies
    ? { outlier: fixture.DEFAULT_OUTLIER, balancer: { kind: 'least-request', choiceCount: 2, activeRequestBias: 1 } }
    : {};
  const endpoints = (net) => Array.from({ length: 10 }, (_, index) => `10.${net}.0.${index}:80`);
  const clusters = ['v1', 'v2', 'v3'].map((name, index) => fixture.cluster(name, endpoints(index), policies));
  const action = {
    clusters: fixture.weighted(withPolicies ? { v1: 80, v2: 15, v3: 5 } : { v1: 1 }),
    timeoutMs: withPolicies ? 10_000 : 0,
    retry: withPolicies ? fixture.retryPlan({ on5xx: true, reset: true }, { perTryTimeoutMs: 2_000 }) : undefined,
  };
  const plan = fixture.route(action);
  const snapshot = fixture.snapshot(clusters, () => plan);
  return new OutboundClient({
    snapshot: () => snapshot,
    states,
    clock: systemClock,
    draws,
    security: fixture.plainSecurity,
    telemetry,
  });
}

class Caller {
  onRequestStart() {}
  onResponseStart() {}
  onResponseData() {}
  onResponseEnd() {}
  onResponseError(_controller, error) {
    throw error;
  }
}

function measure(dispatch) {
  const headers = { accept: 'application/json', 'user-agent': 'bench' };
  const once = (calls) => {
    const start = process.hrtime.bigint();
    for (let call = 0; call < calls; call++)
      dispatch({ origin: 'http://reviews:9080', path: '/reviews/0', method: 'GET', headers }, new Caller());
    return Number(process.hrtime.bigint() - start) / calls;
  };
  once(CALLS / 4);
  return () => once(CALLS / ROUNDS);
}

const everything = mesh(true);
const nothing = mesh(false);
const variants = {
  bare: measure((options, handler) => answer(options, handler)),
  'mesh, no policy': measure((options, handler) => nothing.dispatcher.dispatch(options, handler)),
  'mesh, all policies': measure((options, handler) => everything.dispatcher.dispatch(options, handler)),
};
const results = Object.fromEntries(Object.keys(variants).map((name) => [name, []]));
for (let round = 0; round < ROUNDS; round++)
  for (const [name, run] of Object.entries(variants)) results[name].push(run());
const best = (values) => Math.min(...values);
const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];
console.log(`node ${process.version}, ${readFileSync('/proc/loadavg', 'utf8').trim()}`);
for (const [name, values] of Object.entries(results)) {
  const over = best(values) - best(results.bare);
  console.log(
    `${name.padEnd(20)} best ${best(values).toFixed(0)} ns, median ${median(values).toFixed(0)} ns, over bare ${over.toFixed(0)} ns`,
  );
}
