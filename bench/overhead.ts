// What the mesh costs a request: CPU of client and server against the same calls without it. Separate processes, short interleaved segments, best and
// median. Run: node bench/overhead.ts [--only NAME] [--spawns N] [--rounds N] [--requests N] [--warm-up N] [--profile DIR]
// (after npm run build). `--profile` writes a CPU profile of each process of the mesh's side.
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { parseArgs } from 'node:util';
import type { ClientSpec, Segment } from './overhead/client.ts';
import { overheadYaml, type Namespace } from './overhead/mesh-yaml.ts';
import type { ServerSpec } from './overhead/server.ts';
import { Child } from './support/child.ts';
import { startFeedProcess, type FeedProcess } from './support/feed-process.ts';
import { best, median } from './support/statistics.ts';

interface Variant {
  readonly server: Pick<ServerSpec, 'framework' | 'mesh'>;
  readonly client: ClientSpec['kind'];
}

interface Scenario {
  readonly name: string;
  readonly namespace: Namespace;
  readonly concurrency: number;
  /** Whose CPU is compared. */
  readonly side: 'client' | 'server' | 'both';
  readonly bare: Variant;
  readonly mesh: Variant;
  /** Share that the mesh may add. */
  readonly goal?: number;
}

const bareHttp = { framework: 'http', mesh: false } as const;
const meshHttp = { framework: 'http', mesh: true } as const;
const outbound = (name: string, concurrency: number, goal: number): Scenario => ({
  ...{ name, namespace: 'plain', concurrency, side: 'client', goal },
  bare: { server: bareHttp, client: 'pools' },
  mesh: { server: bareHttp, client: 'mesh' },
});
const inbound = (framework: ServerSpec['framework'], goal: number): Scenario => ({
  ...{ name: `serve ${framework} c=32`, namespace: 'plain', concurrency: 32, side: 'server', goal },
  bare: { server: { framework, mesh: false }, client: 'pools' },
  mesh: { server: { framework, mesh: true }, client: 'pools' },
});
const hop = (name: string, concurrency: number, bare: ClientSpec['kind'], mesh: ClientSpec['kind']): Scenario => ({
  ...{ name, namespace: 'secure', concurrency, side: 'both' },
  bare: { server: bareHttp, client: bare },
  mesh: { server: meshHttp, client: mesh },
});

const SCENARIOS: readonly Scenario[] = [
  outbound('request c=32', 32, 0.13),
  outbound('request c=1', 1, 0.08),
  {
    ...{ name: 'fetch c=32', namespace: 'plain', concurrency: 32, side: 'client' },
    bare: { server: bareHttp, client: 'bare-fetch' },
    mesh: { server: bareHttp, client: 'mesh-fetch' },
  },
  inbound('http', 0.1),
  inbound('fastify', 0.1),
  inbound('express', 0.14),
  hop('mTLS request c=32', 32, 'pools', 'mesh'),
  hop('mTLS request c=1', 1, 'pools', 'mesh'),
  hop('mTLS fetch c=16', 16, 'bare-fetch', 'mesh-fetch'),
];

const { values: flags } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    spawns: { type: 'string', default: '5' },
    rounds: { type: 'string', default: '5' },
    requests: { type: 'string', default: '4000' },
    'warm-up': { type: 'string', default: '40000' },
    profile: { type: 'string', default: '' },
  },
});
const spawns = Number(flags.spawns);
const rounds = Number(flags.rounds);
const requests = Number(flags.requests);
const warmUp = Number(flags['warm-up']);

interface Running {
  readonly client: Child;
  readonly server: Child;
}

interface Costs {
  readonly client: number[];
  readonly server: number[];
  readonly perSecond: number[];
}

const SIDES = ['bare', 'mesh'] as const;
const newCosts = (): Costs => ({ client: [], server: [], perSecond: [] });

async function measure(scenario: Scenario): Promise<Record<'bare' | 'mesh', Costs>> {
  const costs = { bare: newCosts(), mesh: newCosts() };
  for (let spawn = 0; spawn < spawns; spawn++) {
    const ports = await freePorts(3);
    const feed = await startFeedProcess({ 'mesh.yaml': overheadYaml({ plain: ports[0]!, secure: ports[1]! }) });
    // The feed names the port of the mesh's callers; a bare server has a port of its own where both sides have a server.
    const meshPort = scenario.namespace === 'plain' ? ports[0]! : ports[1]!;
    const started = {
      bare: await start(scenario, scenario.bare, feed, ports[2]!),
      mesh: await start(scenario, scenario.mesh, feed, meshPort),
    };
    for (const side of SIDES) await started[side].client.ask(scenario.concurrency === 1 ? warmUp / 4 : warmUp);
    for (let round = 0; round < rounds; round++)
      for (const side of SIDES) await runSegment(started[side], costs[side], scenario);
    for (const { client, server } of [started.bare, started.mesh]) await Promise.all([client.stop(), server.stop()]);
    await feed.stop();
  }
  return costs;
}

async function start(scenario: Scenario, variant: Variant, feed: FeedProcess, port: number): Promise<Running> {
  const { namespace, concurrency } = scenario;
  const common = { namespace, port, feedUrl: feed.url };
  const serverSpec: ServerSpec = { ...common, ...variant.server };
  const [server] = await Child.start('overhead/server.ts', serverSpec, profiled(variant.server.mesh));
  const clientSpec: ClientSpec = { ...common, kind: variant.client, concurrency };
  const [client] = await Child.start('overhead/client.ts', clientSpec, profiled(variant.client.startsWith('mesh')));
  client.pin(0);
  server.pin(1);
  return { client, server };
}

function profiled(mesh: boolean): { nodeOptions: readonly string[] } {
  return { nodeOptions: mesh && flags.profile !== '' ? ['--cpu-prof', `--cpu-prof-dir=${flags.profile}`] : [] };
}

async function runSegment({ client, server }: Running, costs: Costs, { concurrency, name }: Scenario): Promise<void> {
  const count = concurrency === 1 ? requests / 2 : requests;
  const before = await server.ask<number>('cpu');
  const { cpuMicros, wallMs, failures } = await client.ask<Segment>(count);
  const after = await server.ask<number>('cpu');
  if (failures > 0) throw new Error(`${name}: ${failures} of ${count} requests failed`);
  costs.client.push(cpuMicros / count);
  costs.server.push((after - before) / count);
  costs.perSecond.push((count * 1000) / wallMs);
}

function report({ name, side, goal }: Scenario, { bare, mesh }: Record<'bare' | 'mesh', Costs>): void {
  const figures = (['client', 'server'] as const)
    .filter((each) => side === each || side === 'both')
    .map((each) => {
      const [from, to] = [bare[each], mesh[each]];
      const added = `${percent(best(to) / best(from))} / ${percent(median(to) / median(from))}`;
      return `${each} ${pair(from)} -> ${pair(to)} (${added})`;
    });
  const rate = `${median(bare.perSecond).toFixed(0)} -> ${median(mesh.perSecond).toFixed(0)} req/s`;
  const wanted = goal === undefined ? '' : `  goal +${(goal * 100).toFixed(0)} %`;
  console.log(`${name.padEnd(20)} ${figures.join(', ')}  ${rate}${wanted}`);
}

const pair = (values: readonly number[]): string => `${best(values).toFixed(1)} / ${median(values).toFixed(1)}`;
const percent = (ratio: number): string => `${ratio >= 1 ? '+' : ''}${((ratio - 1) * 100).toFixed(0)} %`;

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}

console.log('microseconds of CPU per request, best / median');
for (const scenario of SCENARIOS) if (scenario.name.startsWith(flags.only)) report(scenario, await measure(scenario));
