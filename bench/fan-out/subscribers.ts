// A process with many subscribers of a feed: each a connection and an ADS stream of its own with core's client, asking for what a service asks for.
import {
  CLUSTER_TYPE_URL,
  ENDPOINT_TYPE_URL,
  type FeedConnection,
  type FeedNode,
  type FeedSink,
  type FeedUpdate,
  LISTENER_TYPE_URL,
  ROUTE_TYPE_URL,
} from '@heddle/xds';
import { adsFeed } from '../../packages/core/dist/feed/ads/ads-feed.js';
import { childSpec, serveParent, tellParent } from '../support/child.ts';

export interface SubscribersSpec {
  readonly feedUrl: string;
  readonly count: number;
  /** Number of the first one: names differ between processes. */
  readonly first: number;
}

/** Times of receipt of the next change, milliseconds since the epoch, one a subscriber. */
export type Receipts = readonly number[];

const epochMs = (): number => performance.timeOrigin + performance.now();

class Subscriber implements FeedSink {
  readonly #connection: FeedConnection;
  #onUpdate: ((update: FeedUpdate) => void) | undefined;
  readonly complete: Promise<void>;

  constructor(url: string, index: number) {
    let ready: () => void = () => undefined;
    this.complete = new Promise((resolve) => (ready = resolve));
    this.#onUpdate = ({ typeUrl }) => {
      if (typeUrl === ENDPOINT_TYPE_URL) ready();
    };
    this.#connection = adsFeed({ url }).open(nodeOf(index), this);
    this.#connection.subscribe(CLUSTER_TYPE_URL, '*');
    this.#connection.subscribe(LISTENER_TYPE_URL, '*');
    this.#connection.subscribe(ROUTE_TYPE_URL, ['80']);
  }

  onUpdate(update: FeedUpdate): readonly [] {
    if (update.typeUrl === CLUSTER_TYPE_URL) {
      const names = update.resources.map(({ name }) => name).filter((name) => name.startsWith('outbound|'));
      if (names.length > 0) this.#connection.subscribe(ENDPOINT_TYPE_URL, names);
    }
    this.#onUpdate?.(update);
    return [];
  }

  onMissing(): void {
    return;
  }

  onState(): void {
    return;
  }

  nextEndpoints(): Promise<number> {
    return new Promise((resolve) => {
      this.#onUpdate = ({ typeUrl }) => {
        if (typeUrl === ENDPOINT_TYPE_URL) resolve(epochMs());
      };
    });
  }
}

/** Ten services with replicas each: the feed translates once for every service. */
function nodeOf(index: number): FeedNode {
  const name = `caller-${index % 10}`;
  return {
    id: `sidecar~127.0.${2 + (index >> 8)}.${(index & 255) + 1}~${name}-${index}.shop~shop.svc.cluster.local`,
    cluster: `${name}.shop`,
    locality: { region: '', zone: '', subZone: '' },
    metadata: { NAMESPACE: 'shop', LABELS: { app: name } },
  };
}

const { feedUrl, count, first } = childSpec() as SubscribersSpec;
const subscribers: Subscriber[] = [];
// Not all at once: the benchmark is of pushes, not of a thousand handshakes.
for (let index = 0; index < count; index++) {
  subscribers.push(new Subscriber(feedUrl, first + index));
  if (index % 25 === 24) await Promise.all(subscribers.map(({ complete }) => complete));
}
await Promise.all(subscribers.map(({ complete }) => complete));
let receipts: Promise<Receipts>;
serveParent((question) => {
  if (question === 'receipts') return receipts;
  receipts = Promise.all(subscribers.map((subscriber) => subscriber.nextEndpoints()));
  return 'watching';
});
tellParent('subscribed');
