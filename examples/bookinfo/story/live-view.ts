// The live view: every second one table of edges (rate, split by version, errors, ejections), drawn from the processes' own metrics.
import { INSTANCES } from './bookinfo-processes.js';
import { load } from './load.js';
import { metricOf, statusOf } from './observe.js';
import { JASON, PRODUCTPAGE, type StoryContext } from './story.js';

interface EdgeCount {
  total: number;
  errors: number;
}

/** Drives a bounded load and draws until `stopped` says so. */
export async function watchLive(
  context: StoryContext,
  print: (text: string) => void,
  stopped: AbortSignal,
): Promise<void> {
  const loads = [undefined, JASON].map((headers) =>
    load(context.gateway, {
      url: PRODUCTPAGE,
      count: Number.MAX_SAFE_INTEGER,
      concurrency: 2,
      ...(headers === undefined ? {} : { headers }),
      until: () => stopped.aborted,
    }),
  );
  let before = await countEdges();
  while (!stopped.aborted) {
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    const now = await countEdges();
    print(`\u001b[2J\u001b[H${tableOf(before, now, await ejections())}`);
    before = now;
  }
  await Promise.all(loads);
}

function tableOf(before: Map<string, EdgeCount>, now: Map<string, EdgeCount>, ejected: string[]): string {
  const lines = [
    'Heddle bookinfo: five services, no sidecar. Ctrl-C ends it.',
    '',
    `${'edge'.padEnd(44)}  req/s   errors`,
  ];
  for (const [edge, count] of [...now].sort(([a], [b]) => a.localeCompare(b))) {
    const rate = count.total - (before.get(edge)?.total ?? 0);
    const errors = count.errors - (before.get(edge)?.errors ?? 0);
    lines.push(`${edge.padEnd(44)} ${String(rate).padStart(6)} ${String(errors).padStart(8)}`);
  }
  lines.push('', ejected.length === 0 ? 'no endpoint is ejected' : `ejected: ${ejected.join(', ')}`);
  return `${lines.join('\n')}\n`;
}

async function countEdges(): Promise<Map<string, EdgeCount>> {
  const edges = new Map<string, EdgeCount>();
  for (const spec of INSTANCES) {
    for (const { labels, value } of await metricOf(spec, 'istio_requests_total')) {
      if (labels['reporter'] !== 'destination') continue;
      const edge = `${labels['source_workload'] ?? '?'} -> ${labels['destination_workload'] ?? '?'}`;
      const count = edges.get(edge) ?? { total: 0, errors: 0 };
      count.total += value;
      const grpcStatus = labels['grpc_response_status'] ?? '';
      if (Number(labels['response_code']) >= 500 || (grpcStatus !== '' && grpcStatus !== '0')) count.errors += value;
      edges.set(edge, count);
    }
  }
  return edges;
}

async function ejections(): Promise<string[]> {
  const statuses = await Promise.all(INSTANCES.map((spec) => statusOf(spec)));
  return statuses.flatMap(({ service, clusters }) =>
    clusters.flatMap(({ endpoints }) =>
      endpoints.filter(({ state }) => state === 'ejected').map(({ address }) => `${address} (by ${service.name})`),
    ),
  );
}
