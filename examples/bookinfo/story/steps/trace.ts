// One trace through all services, though none of them carries a header by hand.
import type { FinishedSpan } from '../../services/tracing.js';
import { load } from '../load.js';
import { eventually } from '../observe.js';
import { JASON, PRODUCTPAGE, type Step } from '../story.js';

const SERVICES = ['gateway', 'productpage', 'details', 'reviews', 'ratings'];

export const oneTrace: Step = {
  title: 'one trace',
  expected: 'one trace id across the caller, productpage, details, reviews and ratings',
  async run({ gateway, processes }) {
    processes.spans.length = 0;
    await load(gateway, { url: PRODUCTPAGE, count: 1, concurrency: 1, headers: JASON });
    let whole: readonly FinishedSpan[] = [];
    await eventually(async () => {
      whole =
        [...tracesOf(processes.spans)].find((spans) =>
          SERVICES.every((service) => spans.some((span) => span.service === service)),
        ) ?? [];
      return Promise.resolve(whole.length > 0);
    }, 10_000);
    return {
      ok: whole.length > 0,
      observed:
        whole.length > 0
          ? `trace ${whole[0]?.traceId ?? ''} with ${whole.length} spans`
          : 'no trace touches all services',
      details: treeOf(whole),
    };
  },
};

function tracesOf(spans: readonly FinishedSpan[]): Iterable<readonly FinishedSpan[]> {
  const traces = new Map<string, FinishedSpan[]>();
  for (const span of spans) {
    const trace = traces.get(span.traceId);
    if (trace === undefined) traces.set(span.traceId, [span]);
    else trace.push(span);
  }
  return traces.values();
}

/** The spans as an indented tree; a span whose parent was not recorded here is a root. */
function treeOf(spans: readonly FinishedSpan[]): string[] {
  const known = new Set(spans.map((span) => span.spanId));
  const childrenOf = (parent: string | undefined) =>
    spans.filter((span) => (parent === undefined ? !known.has(span.parentSpanId ?? '') : span.parentSpanId === parent));
  const lines = (parent: string | undefined, depth: number): string[] =>
    childrenOf(parent).flatMap((span) => [
      `${'  '.repeat(depth)}${span.service}: ${span.name}`,
      ...lines(span.spanId, depth + 1),
    ]);
  return lines(undefined, 0);
}
