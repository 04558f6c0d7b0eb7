import {
  CLUSTER_TYPE_URL as CDS,
  DeltaDiscoveryResponseSchema,
  type DeltaDiscoveryRequest,
  DiscoveryResponseSchema,
  type DiscoveryRequest,
  ENDPOINT_TYPE_URL as EDS,
  type FeedSink,
  NodeSchema,
  create,
} from '@heddle/xds';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../testing/virtual-clock.js';
import { AcceptedVersions } from './accepted-versions.js';
import { DeltaStream } from './delta-stream.js';
import { SotwStream } from './sotw-stream.js';
import { WantedResources } from './wanted-resources.js';

const node = create(NodeSchema, { id: 'n' });
const sink: FeedSink = { onUpdate: () => [], onMissing: () => undefined, onState: () => undefined };

/** A server's memory of what a delta client asked for. */
class DeltaServer {
  readonly names = new Set<string>();
  wildcard = false;
  #first = true;

  take(request: DeltaDiscoveryRequest): void {
    if (request.responseNonce !== '') {
      expect(request.resourceNamesSubscribe).toEqual([]);
      return;
    }
    if (this.#first && request.resourceNamesSubscribe.length === 0) this.wildcard = true;
    this.#first = false;
    for (const name of request.resourceNamesSubscribe) {
      if (name === '*') this.wildcard = true;
      else this.names.add(name);
    }
    for (const name of request.resourceNamesUnsubscribe) {
      if (name === '*') this.wildcard = false;
      else this.names.delete(name);
    }
  }

  get wanted(): '*' | string[] {
    return this.wildcard ? '*' : [...this.names].sort();
  }
}

type Step = { readonly want: '*' | string[] } | { readonly push: string[] } | 'reconnect';
const names = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 4 });
const steps = fc.array(
  fc.oneof(
    fc.record({ want: fc.oneof({ weight: 5, arbitrary: names }, { weight: 1, arbitrary: fc.constant('*' as const) }) }),
    fc.record({ push: names }),
    fc.constant('reconnect' as const),
  ),
  { maxLength: 30 },
);
const expected = (want: '*' | string[]) => (want === '*' ? '*' : [...want].sort());

describe('any order of subscribing, updates and reconnections', () => {
  it('leaves a delta server with exactly the wanted names', () => {
    fc.assert(
      fc.property(steps, (script: Step[]) => {
        const wanted = new WantedResources();
        const accepted = new AcceptedVersions();
        let server = new DeltaServer();
        const open = () => new DeltaStream({ node, wanted, accepted, sink, send: (request) => server.take(request) });
        let stream = open();
        let want: '*' | string[] = [];
        let nonce = 0;
        for (const step of script) {
          if (step === 'reconnect') {
            stream.stop();
            server = new DeltaServer();
            stream = open();
            stream.start();
          } else if ('want' in step) {
            want = step.want;
            if (wanted.replace(EDS, want)) stream.wantChanged(EDS);
          } else {
            const resources = step.push.map((name) => ({
              name,
              version: '1',
              resource: { typeUrl: EDS, value: new Uint8Array() },
            }));
            void stream.receive(
              create(DeltaDiscoveryResponseSchema, { typeUrl: EDS, nonce: `n${nonce++}`, resources }),
            );
          }
          expect(server.wanted).toEqual(expected(want));
          const known = [...accepted.of(EDS).keys()];
          expect(known.filter((name) => want !== '*' && !want.includes(name))).toEqual([]);
        }
      }),
    );
  });

  it('leaves a state-of-the-world server with exactly the wanted names', () => {
    fc.assert(
      fc.property(steps, (script: Step[]) => {
        const wanted = new WantedResources();
        const accepted = new AcceptedVersions();
        let last: DiscoveryRequest | undefined;
        const clock = new VirtualClock();
        const open = () =>
          new SotwStream({
            node,
            wanted,
            accepted,
            sink,
            clock,
            missingAfterMs: 15_000,
            send: (request) => (last = request),
          });
        let stream = open();
        let want: '*' | string[] = [];
        for (const step of script) {
          if (step === 'reconnect') {
            stream.stop();
            last = undefined;
            stream = open();
            stream.start();
          } else if ('want' in step) {
            want = step.want;
            if (wanted.replace(EDS, want)) stream.wantChanged(EDS);
          } else {
            void stream.receive(create(DiscoveryResponseSchema, { typeUrl: EDS, nonce: 'n', versionInfo: '1' }));
          }
          const asked = last?.resourceNames ?? [];
          if (want === '*') expect(asked.length === 0 || asked[0] === '*').toBe(true);
          else expect([...asked].sort()).toEqual(expected(want));
        }
        stream.stop();
        expect(clock.pendingTimers).toBe(0);
      }),
    );
  });
});

it('an empty state-of-the-world subscription is not sent, since it would mean every resource', () => {
  const wanted = new WantedResources();
  const sent: DiscoveryRequest[] = [];
  const stream = new SotwStream({
    node,
    wanted,
    accepted: new AcceptedVersions(),
    sink,
    clock: new VirtualClock(),
    missingAfterMs: 1,
    send: (request) => sent.push(request),
  });
  wanted.replace(CDS, []);
  stream.start();
  stream.wantChanged(CDS);
  expect(sent).toEqual([]);
});
