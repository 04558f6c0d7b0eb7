// Runs the istiod lab (istiod's own generation, no cluster) and asks it, as a sidecar, for everything that it would send.
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { Client, credentials } from '@grpc/grpc-js';
import {
  CLUSTER_TYPE_URL,
  ClusterSchema,
  DiscoveryRequestSchema,
  type DiscoveryResponse,
  DiscoveryResponseSchema,
  ENDPOINT_TYPE_URL,
  type FeedNode,
  HttpConnectionManagerSchema,
  LISTENER_TYPE_URL,
  ListenerSchema,
  ROUTE_TYPE_URL,
  create,
  fromBinary,
  toBinary,
  unpackAny,
} from '@heddle/xds';
import type { JsonObject } from '@heddle/xds';

/** The binary: HEDDLE_ISTIODLAB or the cache of test parts; undefined when it was not built. */
export function istiodLabBinary(): string | undefined {
  const path = process.env['HEDDLE_ISTIODLAB'] ?? join(homedir(), '.cache', 'heddle', 'istiodlab');
  return existsSync(path) ? path : undefined;
}

export interface IstiodLab {
  readonly port: number;
  stop(): void;
}

export async function startIstiodLab(binary: string, kubernetes: string, istio: string): Promise<IstiodLab> {
  const [grpc, tls, http] = await Promise.all([freePort(), freePort(), freePort()]);
  const address = (port: number) => `127.0.0.1:${port}`;
  const process_ = spawn(
    binary,
    ['-grpc', address(grpc), '-tls', address(tls), '-http', address(http), '-k8s', kubernetes, '-config', istio],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      // No lab outlives its tests, whatever happens to them.
      timeout: 90_000,
      killSignal: 'SIGKILL',
    },
  );
  await said(process_, /Version:\S+\/[2-9]|config not applied/);
  return { port: grpc, stop: () => void process_.kill('SIGKILL') };
}

/** Resolves when the configuration was pushed; rejects when it was refused or the process ended. */
function said(child: ChildProcess, pattern: RegExp): Promise<void> {
  return new Promise((resolve, reject) => {
    let text = '';
    let ready = false;
    const read = (chunk: Buffer) => {
      text += chunk.toString();
      ready ||= text.includes('istiodlab ready');
      if (text.includes('config not applied')) reject(new Error(text.slice(text.indexOf('config not applied'))));
      else if (ready && pattern.test(text.slice(text.indexOf('istiodlab ready')))) resolve();
    };
    child.stdout?.on('data', read);
    child.stderr?.on('data', read);
    child.on('exit', (code) => reject(new Error(`the lab ended with ${String(code)}: ${text.slice(-500)}`)));
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

/** Resources by type URL, as bytes. */
export type Answers = ReadonlyMap<string, readonly Uint8Array[]>;

/** Asks in the order of a sidecar: clusters, their endpoints, listeners, their routes. */
export async function askIstiod(lab: IstiodLab, node: FeedNode): Promise<Answers> {
  const client = new Client(`127.0.0.1:${lab.port}`, credentials.createInsecure());
  const stream = client.makeBidiStreamRequest(
    '/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources',
    (request: ReturnType<typeof requestFor>) => Buffer.from(toBinary(DiscoveryRequestSchema, request)),
    (bytes: Buffer) => fromBinary(DiscoveryResponseSchema, bytes),
  );
  const waiting = new Map<string, (response: DiscoveryResponse) => void>();
  stream.on('data', (response: DiscoveryResponse) => waiting.get(response.typeUrl)?.(response));
  stream.on('error', () => undefined);
  const ask = async (typeUrl: string, names: readonly string[]) => {
    const answer = new Promise<DiscoveryResponse>((resolve) => waiting.set(typeUrl, resolve));
    stream.write(requestFor(node, typeUrl, names));
    return (await answer).resources.map((resource) => resource.value);
  };
  try {
    const clusters = await ask(CLUSTER_TYPE_URL, []);
    const endpoints = await ask(ENDPOINT_TYPE_URL, clusters.flatMap(endpointName));
    const listeners = await ask(LISTENER_TYPE_URL, []);
    const routes = await ask(ROUTE_TYPE_URL, [...new Set(listeners.flatMap(routeNames))]);
    return new Map([[CLUSTER_TYPE_URL, clusters], [ENDPOINT_TYPE_URL, endpoints], [LISTENER_TYPE_URL, listeners], [ROUTE_TYPE_URL, routes]]); // prettier-ignore
  } finally {
    stream.cancel();
    client.close();
  }
}

function requestFor(node: FeedNode, typeUrl: string, resourceNames: readonly string[]) {
  const metadata = node.metadata as JsonObject;
  return create(DiscoveryRequestSchema, { node: { ...node, metadata }, typeUrl, resourceNames: [...resourceNames] });
}

function endpointName(bytes: Uint8Array): readonly string[] {
  const cluster = fromBinary(ClusterSchema, bytes);
  return cluster.edsClusterConfig === undefined ? [] : [cluster.edsClusterConfig.serviceName];
}

function routeNames(bytes: Uint8Array): readonly string[] {
  const listener = fromBinary(ListenerSchema, bytes);
  const filters = [...listener.filterChains, listener.defaultFilterChain].flatMap((chain) => chain?.filters ?? []);
  return filters.flatMap(({ configType }) => {
    const manager =
      configType.case === 'typedConfig' ? unpackAny(HttpConnectionManagerSchema, configType.value) : undefined;
    return manager?.routeSpecifier.case === 'rds' ? [manager.routeSpecifier.value.routeConfigName] : [];
  });
}
