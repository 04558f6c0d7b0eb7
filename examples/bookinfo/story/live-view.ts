// The live view: every second one table of edges (rate, split by version, errors, ejections), drawn from the processes' own metrics.
import { INSTANCES } from './bookinfo-processes.js';
import { load } from './load.js';
import { metricOf, statusOf } from './observe.js';
import { JASON, PRODUCTPAGE, type StoryContext } from './story.js';

interface EdgeCount {
  readonly source: string;
  readonly destination: string;
  readonly version: string;
  total: number;
  errors: number;
}

/** Drives a bounded load and draws until `stopped` is aborted. */
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
  let before = new Map<string, EdgeCount>();
  const draw = async (): Promise<void> => {
    const now = await countEdges();
    if (before.size > 0) print(`\u001b[2J\u001b[H${tableOf(before, now, await ejections())}`);
    before = now;
  };
  while (!stopped.aborted) {
    await draw().catch((error: unknown) => endedBy(error, stopped));
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
  await Promise.all(loads);
}

/** Ctrl-C reaches the services too: that they are gone then is no news. */
function endedBy(error: unknown, stopped: AbortSignal): void {
  if (!stopped.aborted) throw error;
}

function tableOf(before: Map<string, EdgeCount>, now: Map<string, EdgeCount>, ejected: string[]): string {
  const rates = [...now].map(([key, count]) => ({
    ...count,
    rate: count.total - (before.get(key)?.total ?? 0),
    failed: count.errors - (before.get(key)?.errors ?? 0),
  }));
  const lines = [
    'Heddle bookinfo: five services, no sidecar. Ctrl-C ends it.',
    '',
    `${'edge'.padEnd(48)}  req/s   split   errors/s`,
  ];
  for (const edge of rates.sort((a, b) => nameOf(a).localeCompare(nameOf(b)))) {
    const siblings = rates.filter(
      ({ source, destination }) => source === edge.source && destination === edge.destination,
    );
    const all = siblings.reduce((sum, { rate }) => sum + rate, 0);
    const split = all === 0 ? '-' : `${((100 * edge.rate) / all).toFixed(0)} %`;
    const rate = String(edge.rate).padStart(6);
    lines.push(`${nameOf(edge).padEnd(48)} ${rate} ${split.padStart(7)} ${String(edge.failed).padStart(10)}`);
  }
  lines.push('', ejected.length === 0 ? 'no endpoint is ejected' : `ejected: ${ejected.join(', ')}`);
  return `${lines.join('\n')}\n`;
}

function nameOf({ source, destination, version }: EdgeCount): string {
  return `${source} -> ${destination} ${version}`;
}

async function countEdges(): Promise<Map<string, EdgeCount>> {
  const edges = new Map<string, EdgeCount>();
  for (const spec of INSTANCES) {
    for (const { labels, value } of await metricOf(spec, 'istio_requests_total')) {
      if (labels['reporter'] !== 'destination') continue;
      const source = labels['source_principal']?.split('/sa/').at(-1) ?? '?';
      const destination = labels['destination_canonical_service'] ?? '?';
      const version = labels['destination_version'] ?? '?';
      const key = `${source} ${destination} ${version}`;
      const count = edges.get(key) ?? { source, destination, version, total: 0, errors: 0 };
      count.total += value;
      const grpcStatus = labels['grpc_response_status'] ?? '';
      if (Number(labels['response_code']) >= 500 || (grpcStatus !== '' && grpcStatus !== '0')) count.errors += value;
      edges.set(key, count);
    }
  }
  return edges;
}

async function ejections(): Promise<string[]> {
  const statuses = await Promise.all(INSTANCES.map((spec) => statusOf(spec)));
  return statuses.flatMap(({ service, clusters }) =>
    clusters.flatMap(({ endpoints }) =>
      endpoints
        .filter(({ state }) => state === 'ejected')
        .map(({ address }) => `${address} (by ${service.name} ${service.labels['version'] ?? ''})`),
    ),
  );
}
