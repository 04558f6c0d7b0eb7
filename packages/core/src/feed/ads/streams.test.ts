import {
  CLUSTER_TYPE_URL as CDS,
  ClusterLoadAssignmentSchema,
  ClusterSchema,
  type DeltaDiscoveryRequest,
  DeltaDiscoveryResponseSchema,
  type DiscoveryRequest,
  DiscoveryResponseSchema,
  ENDPOINT_TYPE_URL as EDS,
  type FeedUpdate,
  NodeSchema,
  type RejectedResource,
  ResourceSchema,
  create,
  packAny,
} from '@heddle/xds';
import { beforeEach, describe, expect, it } from 'vitest';
import { VirtualClock } from '../../testing/virtual-clock.js';
import { AcceptedVersions } from './accepted-versions.js';
import { DeltaStream } from './delta-stream.js';
import { SotwStream } from './sotw-stream.js';
import { WantedResources } from './wanted-resources.js';

const node = create(NodeSchema, { id: 'sidecar~127.0.0.1~a.default~x' });
const clusterAny = (name: string) => packAny(ClusterSchema, { name });
const endpointsAny = (name: string) => packAny(ClusterLoadAssignmentSchema, { clusterName: name });

let clock: VirtualClock;
let wanted: WantedResources;
let accepted: AcceptedVersions;
let updates: FeedUpdate[];
let missing: string[];
let decide: (update: FeedUpdate) => readonly RejectedResource[] | Promise<readonly RejectedResource[]>;

const sink = {
  onUpdate: (update: FeedUpdate) => {
    updates.push(update);
    return decide(update);
  },
  onMissing: (_type: string, names: readonly string[]) => missing.push(...names),
  onState: () => undefined,
};

beforeEach(() => {
  clock = new VirtualClock();
  wanted = new WantedResources();
  accepted = new AcceptedVersions();
  updates = [];
  missing = [];
  decide = () => [];
});

describe('delta', () => {
  let sent: DeltaDiscoveryRequest[];
  let stream: DeltaStream;
  const open = () => {
    sent = [];
    stream = new DeltaStream({ node, wanted, accepted, sink, send: (request) => sent.push(request) });
    stream.start();
  };
  const cluster = (name: string, version: string) => ({ name, version, resource: clusterAny(name) });
  const respond = (nonce: string, resources: ReturnType<typeof cluster>[], removedResources: string[] = []) =>
    stream.receive(
      create(DeltaDiscoveryResponseSchema, {
        typeUrl: CDS,
        nonce,
        systemVersionInfo: 'v',
        resources,
        removedResources,
      }),
    );

  it('sends the node once, and acknowledges with the nonce', () => {
    wanted.replace(CDS, '*');
    wanted.replace(EDS, ['a']);
    open();
    void respond('n1', [cluster('a', '7')]);
    expect(sent.map(({ node: sentNode }) => sentNode?.id)).toEqual([node.id, undefined, undefined]);
    expect(sent[0]).toMatchObject({ typeUrl: CDS, resourceNamesSubscribe: [] });
    expect(sent[2]).toMatchObject({ typeUrl: CDS, responseNonce: 'n1' });
    expect(sent[2]?.errorDetail).toBeUndefined();
    expect(updates[0]).toMatchObject({ kind: 'delta', version: 'v', resources: [{ name: 'a' }] });
  });

  it('refuses single resources by name and keeps the others over a reconnection', () => {
    wanted.replace(CDS, '*');
    open();
    decide = () => [{ name: 'b', message: 'Cluster b: $.lb_policy: unknown' }];
    void respond('n1', [cluster('a', '1'), cluster('b', '1')]);
    expect(sent.at(-1)?.errorDetail).toMatchObject({ code: 3, message: 'Cluster b: $.lb_policy: unknown' });
    stream.stop();
    open();
    expect(sent[0]?.initialResourceVersions).toEqual({ a: '1' });
  });

  it('tells what is removed, and what never existed, apart', () => {
    wanted.replace(CDS, '*');
    open();
    void respond('n1', [cluster('a', '1')]);
    void respond('n2', [], ['a', 'ghost']);
    expect(updates[1]).toMatchObject({ removed: ['a'] });
    expect(missing).toEqual(['ghost']);
    expect([...accepted.of(CDS)]).toEqual([]);
  });

  it('refuses a resource of another type and one that comes twice', () => {
    wanted.replace(CDS, '*');
    open();
    void respond('n1', [
      cluster('a', '1'),
      cluster('a', '2'),
      { name: 'e', version: '1', resource: endpointsAny('e') },
    ]);
    expect(sent.at(-1)?.errorDetail?.message).toMatch(
      /Cluster a: comes twice.*; Cluster e: expected type .*Cluster, got .*ClusterLoadAssignment/,
    );
  });

  it('answers an update that the sink takes its time for only when it is done, and a defect there with a NACK', async () => {
    wanted.replace(CDS, '*');
    open();
    let finish: (rejected: readonly RejectedResource[]) => void = () => undefined;
    decide = () => new Promise((resolve) => (finish = resolve));
    const done = respond('n1', [cluster('a', '1')]);
    expect(sent).toHaveLength(1);
    finish([]);
    await done;
    expect(sent.at(-1)).toMatchObject({ responseNonce: 'n1' });
    decide = () => {
      throw new Error('boom');
    };
    void respond('n2', [cluster('a', '2')]);
    expect(sent.at(-1)?.errorDetail?.message).toContain('boom');
  });

  it('gives equal content an equal version whatever the server calls it', () => {
    wanted.replace(CDS, '*');
    open();
    void respond('n1', [cluster('a', '')]);
    void respond('n2', [cluster('a', 'restarted-1')]);
    expect(updates[0]?.resources[0]?.version).toBe(updates[1]?.resources[0]?.version);
  });
});

describe('state of the world', () => {
  let sent: DiscoveryRequest[];
  let stream: SotwStream;
  const open = () => {
    sent = [];
    stream = new SotwStream({
      node,
      wanted,
      accepted,
      sink,
      clock,
      missingAfterMs: 15_000,
      send: (request) => sent.push(request),
    });
    stream.start();
  };
  const respond = (typeUrl: string, nonce: string, versionInfo: string, resources: ReturnType<typeof clusterAny>[]) =>
    stream.receive(create(DiscoveryResponseSchema, { typeUrl, nonce, versionInfo, resources }));

  it('reads names without the type, wrapped or not, and treats clusters as complete', () => {
    wanted.replace(CDS, '*');
    open();
    void respond(CDS, 'n1', '1', [clusterAny('a'), packAny(ResourceSchema, { name: 'b', resource: clusterAny('b') })]);
    expect(updates[0]).toMatchObject({ kind: 'full', version: '1', resources: [{ name: 'a' }, { name: 'b' }] });
    expect(sent.at(-1)).toMatchObject({ responseNonce: 'n1', versionInfo: '1' });
  });

  it('answers a refusal with the version of the last good update', () => {
    wanted.replace(CDS, '*');
    open();
    void respond(CDS, 'n1', '1', [clusterAny('a')]);
    decide = () => [{ name: 'a', message: 'Cluster a: bad' }];
    void respond(CDS, 'n2', '2', [clusterAny('a')]);
    expect(sent.at(-1)).toMatchObject({
      responseNonce: 'n2',
      versionInfo: '1',
      errorDetail: { message: 'Cluster a: bad' },
    });
  });

  it('removes nothing when a resource of the update cannot be read', () => {
    wanted.replace(CDS, '*');
    open();
    void respond(CDS, 'n1', '1', [clusterAny('a'), { ...clusterAny('b'), value: Uint8Array.of(10, 200, 1) }]);
    expect(updates[0]?.kind).toBe('delta');
    expect(sent.at(-1)?.errorDetail?.message).toBe('Cluster #1: has no readable name');
  });

  it('takes a named resource as missing after 15 s, but not one that came', () => {
    wanted.replace(EDS, ['a', 'b']);
    open();
    clock.advance(10_000);
    void respond(EDS, 'n1', '1', [endpointsAny('a')]);
    wanted.replace(EDS, ['a', 'b', 'c']);
    stream.wantChanged(EDS);
    clock.advance(5_000);
    expect(missing).toEqual(['b']);
    clock.advance(10_000);
    expect(missing).toEqual(['b', 'c']);
  });

  it('does not acknowledge by accident: names that change while the sink decides go out with its answer', async () => {
    wanted.replace(EDS, ['a']);
    open();
    let finish: (rejected: readonly RejectedResource[]) => void = () => undefined;
    decide = () => new Promise((resolve) => (finish = resolve));
    const done = respond(EDS, 'n1', '1', [endpointsAny('a')]);
    wanted.replace(EDS, ['a', 'b']);
    stream.wantChanged(EDS);
    expect(sent).toHaveLength(1);
    finish([{ name: 'a', message: 'bad' }]);
    await done;
    expect(sent).toHaveLength(2);
    expect(sent[1]).toMatchObject({ resourceNames: ['a', 'b'], responseNonce: 'n1', versionInfo: '' });
  });
});
