// A client process: runs segments of GET requests at a fixed concurrency and tells the CPU time that each took it.
import { createMesh } from '@heddle/core';
import { Agent, Pool, fetch as undiciFetch, request } from 'undici';
import { childSpec, serveParent, tellParent } from '../support/child.ts';
import { certificateFor } from './certificate.ts';
import { ENDPOINTS, endpointAddress, type Namespace } from './mesh-yaml.ts';

export interface ClientSpec {
  readonly kind: 'pools' | 'bare-fetch' | 'mesh' | 'mesh-fetch';
  readonly namespace: Namespace;
  /** The server's port; the mesh learns it from the feed. */
  readonly port: number;
  readonly feedUrl: string;
  readonly concurrency: number;
}

export interface Segment {
  readonly cpuMicros: number;
  readonly wallMs: number;
  readonly failures: number;
}

const PATH = '/reviews/0';
const HEADERS = { accept: 'application/json' };
const spec = childSpec() as ClientSpec;

/** Sends one request, reads the answer to its end, and resolves with the status. */
const ask = await caller();
serveParent((requests) => segment(requests as number));
tellParent('ready');

async function caller(): Promise<() => Promise<number>> {
  switch (spec.kind) {
    case 'pools':
      return barePools();
    case 'bare-fetch':
      return bareFetch();
    case 'mesh': {
      const { dispatcher } = await joinMesh();
      return async () => {
        const { statusCode, body } = await request(`http://backend${PATH}`, { dispatcher, headers: HEADERS });
        await body.dump();
        return statusCode;
      };
    }
    case 'mesh-fetch': {
      const mesh = await joinMesh();
      return async () => {
        const response = await mesh.fetch(`http://backend${PATH}`, { headers: HEADERS });
        await response.arrayBuffer();
        return response.status;
      };
    }
  }
}

function scheme(): string {
  return spec.namespace === 'secure' ? 'https' : 'http';
}

async function tlsOptions(): Promise<object> {
  if (spec.namespace === 'plain') return {};
  const identity = await certificateFor(spec.feedUrl, 'caller');
  // The mesh checks the SPIFFE id instead of a host name, once a handshake; so does this.
  const checkServerIdentity = (_host: string, { subjectaltname }: { subjectaltname?: string }): Error | undefined =>
    subjectaltname === 'URI:spiffe://cluster.local/ns/secure/sa/backend' ? undefined : new Error('wrong server');
  return { connect: { ...identity, checkServerIdentity }, allowH2: false };
}

async function barePools(): Promise<() => Promise<number>> {
  const options = { connections: 64, ...(await tlsOptions()) };
  const pools = Array.from(
    { length: ENDPOINTS },
    (_, index) => new Pool(`${scheme()}://${endpointAddress(index)}:${spec.port}`, options),
  );
  let next = 0;
  return async () => {
    const { statusCode, body } = await pools[next++ % ENDPOINTS]!.request({
      method: 'GET',
      path: PATH,
      headers: HEADERS,
    });
    await body.dump();
    return statusCode;
  };
}

async function bareFetch(): Promise<() => Promise<number>> {
  const dispatcher = new Agent({ connections: 64, ...(await tlsOptions()) });
  const urls = Array.from(
    { length: ENDPOINTS },
    (_, index) => `${scheme()}://${endpointAddress(index)}:${spec.port}${PATH}`,
  );
  let next = 0;
  return async () => {
    const response = await undiciFetch(urls[next++ % ENDPOINTS]!, { dispatcher, headers: HEADERS });
    await response.arrayBuffer();
    return response.status;
  };
}

function joinMesh() {
  return createMesh({
    service: { name: 'caller', namespace: spec.namespace, labels: { app: 'caller', version: 'v1' } },
    feed: spec.feedUrl,
    instanceIp: '127.0.2.1',
    ...(spec.namespace === 'plain' ? { identity: 'none' as const } : {}),
  });
}

async function segment(requests: number): Promise<Segment> {
  const before = process.cpuUsage();
  const begun = performance.now();
  let left = requests;
  let failures = 0;
  const worker = async (): Promise<void> => {
    while (left-- > 0) if ((await ask()) !== 200) failures += 1;
  };
  await Promise.all(Array.from({ length: spec.concurrency }, worker));
  const { user, system } = process.cpuUsage(before);
  return { cpuMicros: user + system, wallMs: performance.now() - begun, failures };
}
