// W3C Trace Context's own test suite and the cases of the B3 specification, run through one hop: what goes in as headers of an inbound request
// comes out as headers of its outbound calls.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { formatB3Single, parseB3, writeB3Multi } from '../../packages/core/src/telemetry/propagation/b3.js';
import { parseTraceparent } from '../../packages/core/src/telemetry/propagation/traceparent.js';
import { createTelemetry } from '../../packages/core/src/telemetry/create-telemetry.js';
import { requestHead } from '../../packages/core/src/testing/call-records.js';
import { VirtualClock } from '../../packages/core/src/testing/virtual-clock.js';

type Pairs = readonly (readonly [string, string])[];

interface W3cCase {
  readonly id: string;
  readonly headers: Pairs;
  readonly outgoing_calls?: number;
  readonly expect: {
    readonly trace_id?: string;
    readonly trace_id_not?: readonly string[];
    readonly parent_id_not?: readonly string[];
    readonly distinct_parent_ids?: number;
    readonly distinct_trace_ids?: number;
    readonly trace_flags_bit_set?: number;
    readonly tracestate_has?: readonly string[];
    readonly tracestate_entries?: Readonly<Record<string, string>>;
    readonly tracestate_lacks?: readonly string[];
    readonly tracestate_contains?: readonly string[];
    readonly tracestate_contains_one_of?: readonly string[];
    readonly tracestate_order?: readonly (readonly [string, string])[];
    readonly tracestate_length?: number;
    readonly tracestate_discarded?: boolean;
    readonly tracestate_empty_ok?: boolean;
    readonly traceparent_valid_and_single: true;
  };
}

interface B3Expectation {
  readonly malformed?: boolean;
  readonly trace_id?: string | null;
  readonly span_id?: string;
  readonly parent_span_id?: string | null;
  readonly sampling?: string;
  readonly single_encoding?: string;
  readonly multi_encoding?: Readonly<Record<string, string>>;
}

interface B3Case {
  readonly id: string;
  readonly headers: Pairs;
  readonly expect: B3Expectation & { readonly one_of?: readonly B3Expectation[] };
}

const corpora = process.env['HEDDLE_CORPORA'] ?? fileURLToPath(new URL('../../../shared/corpora', import.meta.url));
const folder = join(corpora, 'trace-context');
const present = existsSync(folder);
const casesOf = <Case>(file: string): readonly Case[] =>
  present ? (JSON.parse(readFileSync(join(folder, file), 'utf8')) as { cases: Case[] }).cases : [];

const telemetry = createTelemetry({
  node: { workload: 'w', namespace: 'n', labels: {}, serviceAccount: 's', clusterId: 'Kubernetes', trustDomain: 't' },
  ownPrincipal: () => undefined,
  clock: new VirtualClock(),
  draws: () => 0.5,
});

/** The headers of `calls` outbound calls made for one inbound request. */
function hop(headers: Pairs, calls: number): Pairs[] {
  const context = telemetry.inbound.contextFor(requestHead(headers), 0, undefined);
  return telemetry.inbound.run(context, undefined, () =>
    Array.from({ length: calls }, () => {
      const flat: string[] = [];
      telemetry.outbound.writeHeaders(flat, telemetry.outbound.currentContext(), undefined, () => undefined);
      return Array.from({ length: flat.length / 2 }, (_, index) => [flat[2 * index]!, flat[2 * index + 1]!] as const);
    }),
  );
}

const valuesOf = (call: Pairs, name: string) => call.filter(([key]) => key === name).map(([, value]) => value);

function checkTrace(test: W3cCase, calls: readonly Pairs[]): void {
  const traces = calls.map((call) => {
    expect(valuesOf(call, 'traceparent')).toHaveLength(1);
    return parseTraceparent(valuesOf(call, 'traceparent')[0])!;
  });
  const wanted = test.expect;
  for (const trace of traces) {
    expect(trace).toBeDefined();
    if (wanted.trace_id !== undefined) expect(trace.traceId).toBe(wanted.trace_id);
    for (const wrong of wanted.trace_id_not ?? []) expect(trace.traceId).not.toBe(wrong);
    for (const wrong of wanted.parent_id_not ?? []) expect(trace.spanId).not.toBe(wrong);
    if (wanted.trace_flags_bit_set === 2) expect(trace.random).toBe(true);
    else expect(wanted.trace_flags_bit_set).toBeUndefined();
  }
  if (wanted.distinct_parent_ids !== undefined)
    expect(new Set(traces.map((trace) => trace.spanId)).size).toBe(wanted.distinct_parent_ids);
  if (wanted.distinct_trace_ids !== undefined)
    expect(new Set(traces.map((trace) => trace.traceId)).size).toBe(wanted.distinct_trace_ids);
}

function checkState(test: W3cCase, call: Pairs): void {
  const headers = valuesOf(call, 'tracestate');
  expect(headers.length).toBeLessThanOrEqual(1);
  const members = headers.length === 0 ? [] : headers[0]!.split(',');
  const entries = new Map(
    members.map((member) => [member.slice(0, member.indexOf('=')), member.slice(member.indexOf('=') + 1)]),
  );
  const wanted = test.expect;
  for (const key of wanted.tracestate_has ?? []) expect([...entries.keys()]).toContain(key);
  for (const [key, value] of Object.entries(wanted.tracestate_entries ?? {})) expect(entries.get(key)).toBe(value);
  for (const key of wanted.tracestate_lacks ?? []) expect([...entries.keys()]).not.toContain(key);
  for (const member of wanted.tracestate_contains ?? []) expect(members).toContain(member);
  if (wanted.tracestate_contains_one_of !== undefined)
    expect(wanted.tracestate_contains_one_of.some((member) => members.includes(member))).toBe(true);
  for (const [before, after] of wanted.tracestate_order ?? [])
    expect(members.indexOf(before)).toBeLessThan(members.indexOf(after));
  if (wanted.tracestate_length !== undefined) expect(members).toHaveLength(wanted.tracestate_length);
  if (wanted.tracestate_discarded === true || wanted.tracestate_empty_ok === true) expect(headers).toEqual([]);
}

describe.skipIf(!present)('W3C Trace Context (skipped without the corpora: HEDDLE_CORPORA)', () => {
  it.each(casesOf<W3cCase>('w3c.json').map((test) => [test.id, test] as const))('%s', (_, test) => {
    const calls = hop(test.headers, test.outgoing_calls ?? 1);
    checkTrace(test, calls);
    for (const call of calls) checkState(test, call);
  });
});

describe.skipIf(!present)('B3 (skipped without the corpora: HEDDLE_CORPORA)', () => {
  it.each(casesOf<B3Case>('b3.json').map((test) => [test.id, test] as const))('%s', (_, test) => {
    const head = requestHead(test.headers);
    const accepted = (test.expect.one_of ?? [test.expect]).filter((wanted) =>
      meets(parseB3(head.header.bind(head)), wanted),
    );
    expect(accepted).not.toEqual([]);
    checkHop(test, accepted[0]!);
  });
});

function meets(parsed: ReturnType<typeof parseB3>, wanted: B3Expectation): boolean {
  if (parsed === 'malformed') return wanted.malformed === true;
  if (parsed === undefined || wanted.malformed === true) return false;
  const same = (actual: string | undefined, expected: string | null | undefined) =>
    expected === undefined || actual === (expected ?? undefined);
  return (
    same(parsed.traceId, wanted.trace_id) &&
    same(parsed.spanId, wanted.span_id) &&
    same(parsed.parentSpanId, wanted.parent_span_id) &&
    parsed.sampling === wanted.sampling
  );
}

function checkHop(test: B3Case, wanted: B3Expectation): void {
  const [call] = hop(test.headers, 1);
  const w3c = parseTraceparent(valuesOf(call!, 'traceparent')[0])!;
  const sent = Object.fromEntries(call!);
  const single = test.headers.some(([name]) => name === 'b3');
  if (wanted.malformed === true) {
    const came = test.headers.flatMap(([, value]) => value.split('-')).filter((part) => part.length >= 15);
    for (const part of came) for (const [, value] of call!) expect(value).not.toContain(part);
    return;
  }
  if (wanted.trace_id) expect(w3c.traceId).toBe(wanted.trace_id.padStart(32, '0'));
  if (wanted.sampling === 'accept' || wanted.sampling === 'debug') expect(w3c.sampled).toBe(true);
  if (wanted.sampling === 'deny') expect(w3c.sampled).toBe(false);
  // B3 in, B3 out, in the encoding of the caller and of the same span as the traceparent.
  const again = parseB3((name) => sent[name]);
  expect(again).toMatchObject({ spanId: w3c.spanId, encoding: single ? 'single' : 'multi' });
  if (wanted.trace_id) expect(again).toMatchObject({ traceId: wanted.trace_id });
  if (wanted.sampling === 'debug') expect(again).toMatchObject({ sampling: 'debug' });
  checkEncodings(wanted);
}

function checkEncodings(wanted: B3Expectation): void {
  const sampling = wanted.sampling as 'accept';
  if (wanted.single_encoding !== undefined)
    expect(formatB3Single(wanted.trace_id!, wanted.span_id!, sampling, wanted.parent_span_id!)).toBe(
      wanted.single_encoding,
    );
  if (wanted.multi_encoding === undefined) return;
  const flat: string[] = [];
  writeB3Multi(flat, wanted.trace_id!, wanted.span_id!, sampling, wanted.parent_span_id!);
  const written = Object.fromEntries(flat.flatMap((name, index) => (index % 2 === 0 ? [[name, flat[index + 1]]] : [])));
  expect(written).toEqual(
    Object.fromEntries(Object.entries(wanted.multi_encoding).map(([name, value]) => [name.toLowerCase(), value])),
  );
}
