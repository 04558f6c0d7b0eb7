// A mesh from a folder, without sockets to anyone: the caller's configuration explains the way out, the called workload's the way in.
import { createMesh, type Explanation, type MeshOptions } from '@heddle/core';
import { loadPaths, type ConfigObject } from '@heddle/config';
import type { WholeExplanation } from './commands/explain.js';
import { findWorkload, workloadAt, type NamedWorkload } from './named-workload.js';

export interface OfflineRequest {
  readonly paths: readonly string[];
  /** `reviews/v1`, `reviews`, `reviews/v1.bookinfo`. */
  readonly caller: string;
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** A string says why the question makes no sense (an unknown caller, a folder without objects). */
export async function explainOffline(request: OfflineRequest): Promise<WholeExplanation | string> {
  const { objects } = await loadPaths(request.paths);
  const caller = findWorkload(request.caller, objects);
  if (typeof caller === 'string') return caller;
  const { method, url, headers } = request;
  const outbound = await asWorkload(caller, request.paths, (mesh) => mesh.explain({ method, url, headers }));
  return { outbound, inbound: await explainDestination(request, caller, outbound, objects) };
}

async function explainDestination(
  { paths, method, url, headers }: OfflineRequest,
  caller: NamedWorkload,
  outbound: Explanation,
  objects: readonly ConfigObject[],
): Promise<WholeExplanation['inbound']> {
  if (outbound.outcome.kind !== 'forward') return undefined;
  const endpoint = outbound.outcome.clusters.toSorted((a, b) => b.share - a.share)[0]?.endpoints[0];
  const colon = endpoint?.address.lastIndexOf(':') ?? -1;
  if (endpoint === undefined || colon < 0) return undefined;
  const called = workloadAt(endpoint.address.slice(0, colon), objects);
  if (called === undefined) return undefined;
  const secure = endpoint.security.startsWith('mutual TLS');
  const principal = `spiffe://cluster.local/ns/${caller.namespace}/sa/${caller.serviceAccount}`;
  const explanation = await asWorkload(called, paths, (mesh) =>
    mesh.explainInbound({
      method,
      url,
      headers,
      port: Number(endpoint.address.slice(colon + 1)),
      ...(secure ? { principal } : {}),
    }),
  );
  return { workload: called.name, explanation };
}

async function asWorkload<Result>(
  workload: NamedWorkload,
  paths: readonly string[],
  ask: (mesh: Awaited<ReturnType<typeof createMesh>>) => Result,
): Promise<Result> {
  const options: MeshOptions = {
    service: {
      name: workload.service,
      namespace: workload.namespace,
      labels: workload.labels,
      serviceAccount: workload.serviceAccount,
    },
    ...(workload.address === undefined ? {} : { instanceIp: workload.address }),
    podName: workload.name,
    feed: paths,
    identity: 'none',
    log: 'silent',
    handleSignals: false,
  };
  const mesh = await createMesh(options);
  try {
    return ask(mesh);
  } finally {
    await mesh.close();
  }
}
