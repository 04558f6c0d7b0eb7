// Real grpc-js clients and servers in hand-made meshes: one calls, one serves. Everything that is opened is closed after each test.
import { Client, Metadata, Server, credentials } from '@grpc/grpc-js';
import type { ServiceDefinition, UntypedServiceImplementation, handleUnaryCall, status } from '@grpc/grpc-js';
import { afterEach } from 'vitest';
import { systemClock } from '../../packages/core/src/clock.js';
import { ClusterStates } from '../../packages/core/src/cluster-state/cluster-states.js';
import type { HttpFilter } from '../../packages/core/src/filters/http-filter.js';
import { InboundServer } from '../../packages/core/src/inbound/inbound-server.js';
import { OutboundClient } from '../../packages/core/src/outbound/outbound-client.js';
import { cluster, route, snapshot } from '../../packages/core/src/outbound/testing/snapshot-fixture.js';
import type { ClusterSnapshot, UpstreamTls } from '../../packages/core/src/snapshot/cluster-snapshot.js';
import type { ForwardAction } from '../../packages/core/src/snapshot/route-snapshot.js';
import type { Snapshot } from '../../packages/core/src/snapshot/snapshot.js';
import type { CallRecord } from '../../packages/core/src/telemetry/call-record.js';
import { createTelemetry } from '../../packages/core/src/telemetry/create-telemetry.js';
import {
  inboundHttp,
  inboundSnapshot,
  snapshotOf,
  testWorkload,
} from '../../packages/core/src/testing/inbound-fixtures.js';
import type { TlsMode } from '../../packages/core/src/testing/inbound-fixtures.js';
import { testAuthority } from '../../packages/core/src/testing/test-certificates.js';
import { bindGrpc, meshChannel } from '../../packages/grpc/src/index.js';
import type { ChannelOptions, MeshHandle } from '../../packages/grpc/src/index.js';

export const text = {
  serialize: (value: string) => Buffer.from(value),
  deserialize: (bytes: Buffer) => bytes.toString(),
};
const method = (name: string, requestStream: boolean, responseStream: boolean) => ({
  path: `/test.Echo/${name}`,
  requestStream,
  responseStream,
  requestSerialize: text.serialize,
  requestDeserialize: text.deserialize,
  responseSerialize: text.serialize,
  responseDeserialize: text.deserialize,
});
export const echo = {
  Say: method('Say', false, false),
  Count: method('Count', false, true),
  Join: method('Join', true, false),
  Chat: method('Chat', true, true),
} satisfies ServiceDefinition;

const authority = testAuthority('cluster.local');
export const clientId = 'spiffe://cluster.local/ns/default/sa/reviews';
export const serverId = 'spiffe://cluster.local/ns/default/sa/ratings';
export const ends: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** A mesh made of real parts around a snapshot; `records` are what it reported. */
export function mesh(current: Snapshot, id: string) {
  const records: CallRecord[] = [];
  const workload = testWorkload(authority, id);
  const node = {
    workload: 'w',
    namespace: 'default',
    labels: {},
    serviceAccount: 'sa',
    clusterId: 'c',
    trustDomain: 'cluster.local',
  };
  const real = createTelemetry({ node, ownPrincipal: () => id, clock: systemClock, draws: () => 0.5 });
  const recording = <Side extends { finish(record: CallRecord): void }>(side: Side): Side => ({
    ...side,
    finish(record: CallRecord) {
      records.push(record);
      side.finish(record);
    },
  });
  const telemetry = { ...real, outbound: recording(real.outbound), inbound: recording(real.inbound) };
  const parts = { snapshot: () => current, clock: systemClock, draws: () => 0.5, security: workload.security };
  const states = new ClusterStates(systemClock, () => 0.5);
  const outbound = new OutboundClient({ ...parts, states, telemetry: telemetry.outbound });
  const inbound = new InboundServer({ ...parts, telemetry: telemetry.inbound });
  const closers = new Set<(drainMs: number) => Promise<void>>();
  const onClose = (close: (drainMs: number) => Promise<void>) => {
    closers.add(close);
    return () => closers.delete(close);
  };
  const internals = { ...parts, states, outbound, inbound, telemetry, onClose, settings: { drainMs: 1000 } };
  const close = async (drainMs: number) => {
    await Promise.all([...closers].map((closer) => closer(drainMs)));
    await outbound.close({ drainMs });
    await inbound.drain(drainMs);
    workload.close();
  };
  ends.push(() => close(0));
  return {
    handle: { internals } as unknown as MeshHandle,
    records,
    rotate: () => workload.rotate(),
    security: workload.security,
    close,
  };
}

export async function serve(
  implementation: UntypedServiceImplementation,
  filters: readonly HttpFilter[] = [],
  mode: TlsMode = 'strict',
) {
  const serving = mesh(snapshotOf(inboundSnapshot(mode, { http: inboundHttp(filters) })), serverId);
  const server = new Server();
  const definition = Object.fromEntries(Object.entries(echo).filter(([name]) => name in implementation));
  server.addService(definition, implementation);
  ends.push(() => server.forceShutdown());
  const listener = await bindGrpc(serving.handle, server, 0, '127.0.0.1');
  return { ...serving, listener, address: `127.0.0.1:${listener.port}` };
}

export const mutual: UpstreamTls = {
  presentsCertificate: true,
  certificateSource: { kind: 'identity' },
  rootSource: { kind: 'identity' },
  serverName: 'outbound_.9080_._.ratings.default.svc.cluster.local',
  alpnProtocols: ['istio'],
  sans: [{ type: 'uri', matches: (san) => san === serverId, text: serverId }],
  minVersion: undefined,
  maxVersion: undefined,
  ciphers: [],
  key: 'ratings',
};

interface CallerOptions {
  readonly action?: Partial<ForwardAction>;
  readonly filters?: readonly HttpFilter[];
  readonly tls?: UpstreamTls | undefined;
  readonly cluster?: Partial<ClusterSnapshot>;
  readonly channel?: ChannelOptions;
}

/** A client of the mesh; `tls: undefined` calls in plain text. */
export function caller(addresses: readonly string[], options: CallerOptions = {}) {
  const tls = 'tls' in options ? options.tls : mutual;
  const upstream = cluster('upstream', addresses, { http2: true, tlsFor: () => tls, ...options.cluster });
  const calling = mesh(
    snapshot([upstream], () => route(options.action ?? {}, { filters: options.filters ?? [] })),
    clientId,
  );
  const channelOverride = meshChannel(calling.handle, 'ratings:9080', options.channel);
  const client = new Client('ratings:9080', credentials.createInsecure(), { channelOverride });
  const say = (message: string, metadata = new Metadata(), deadlineMs?: number) =>
    new Promise<string>((resolve, reject) => {
      const call = deadlineMs === undefined ? {} : { deadline: Date.now() + deadlineMs };
      client.makeUnaryRequest(
        echo.Say.path,
        text.serialize,
        text.deserialize,
        message,
        metadata,
        call,
        (error, reply) => (error ? reject(error) : resolve(reply ?? '')),
      );
    });
  return { ...calling, client, say };
}

export type Say = handleUnaryCall<string, string>;
export const replyWith = {
  Say: ((call, done) => done(null, `echo ${call.request}`)) as Say,
};
export const failingTimes = (times: number, code: status) => {
  let left = times;
  let calls = 0;
  const Say: Say = (call, done) => {
    calls++;
    if (left-- > 0) done({ code, details: 'not now' });
    else done(null, `echo ${call.request}`);
  };
  return { implementation: { Say }, calls: () => calls };
};
