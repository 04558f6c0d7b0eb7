// Resilience: retries heal a flaky service, a broken endpoint is ejected and comes back, injected faults come at their rates.
import { load, type Outcome } from '../load.js';
import { eventually, instance, metricOf, statusOf } from '../observe.js';
import { DETAILS, JASON, PRODUCTPAGE, percent, type Step } from '../story.js';

const RATINGS = ['ratings-v1-0', 'ratings-v1-1'];
const BROKEN = 'ratings-v1-1';
const EJECTED_SINCE = 'ejected-since';

export const retriesHeal: Step = {
  title: '30 % of ratings fail',
  expected: 'more than 99 % of pages succeed',
  async run({ gateway, processes }) {
    for (const name of RATINGS) processes.setFailRate(name, 0.3);
    const outcomes = await load(gateway, { url: PRODUCTPAGE, count: 500, concurrency: 8, headers: JASON });
    for (const name of RATINGS) processes.setFailRate(name, 0);
    const success = (100 * outcomes.filter(({ status }) => status === 200).length) / outcomes.length;
    const failed = await failuresAnsweredBy(RATINGS);
    return {
      ok: success > 99 && failed > 50,
      observed: `${percent(success)} of pages succeed, ${failed} calls of ratings failed`,
    };
  },
};

export const ejection: Step = {
  title: 'broken endpoint',
  expected: 'ejected after 5 failures',
  async run({ gateway, processes, notes }) {
    const available = await eventually(async () => (await ejectedRatings()).length === 0, 60_000);
    const before = await failuresAnsweredBy([BROKEN]);
    processes.setFailRate(BROKEN, 1);
    const ejected = await eventually(async () => {
      await load(gateway, { url: PRODUCTPAGE, count: 1, concurrency: 1, headers: JASON });
      return (await ejectedRatings()).includes(`${instance(BROKEN).ip}:9080`);
    }, 10_000);
    notes.set(EJECTED_SINCE, performance.now());
    const failures = (await failuresAnsweredBy([BROKEN])) - before;
    processes.setFailRate(BROKEN, 0);
    return {
      ok: available && ejected && failures === 5,
      observed: `${ejected ? 'ejected' : 'not ejected'} after ${failures} failures`,
    };
  },
};

export const comesBack: Step = {
  title: 'ejected endpoint returns',
  expected: 'back in rotation 30 to 41 s after its ejection',
  async run({ gateway, notes }) {
    const since = notes.get(EJECTED_SINCE) ?? performance.now();
    const back = await eventually(async () => (await ejectedRatings()).length === 0, 45_000);
    const awayMs = performance.now() - since;
    const outcomes = await load(gateway, { url: PRODUCTPAGE, count: 20, concurrency: 2, headers: JASON });
    const serves = outcomes.some(({ body }) => body.includes(BROKEN));
    const seconds = (awayMs / 1_000).toFixed(1);
    return {
      ok: back && serves && awayMs >= 29_000 && awayMs <= 42_000,
      observed: `back after ${seconds} s and serving: ${String(serves)}`,
    };
  },
};

export const faults: Step = {
  title: 'injected faults',
  expected: '10 % delayed by 500 ms, 5 % aborted with 503, each within 3 points over 2,000 calls',
  async run({ gateway }) {
    const outcomes = await load(gateway, { url: DETAILS, count: 2_000, concurrency: 25, headers: { 'x-chaos': 'on' } });
    const share = (taken: (outcome: Outcome) => boolean) => (100 * outcomes.filter(taken).length) / outcomes.length;
    const delayed = share(({ tookMs }) => tookMs >= 495);
    const aborted = share(({ status }) => status === 503);
    return {
      ok: Math.abs(delayed - 10) <= 3 && Math.abs(aborted - 5) <= 3,
      observed: `${percent(delayed)} delayed, ${percent(aborted)} aborted`,
    };
  },
};

/** Addresses of ratings that reviews v2 has ejected now. */
async function ejectedRatings(): Promise<string[]> {
  const { clusters } = await statusOf(instance('reviews-v2-0'));
  const ratings = clusters.filter(({ name }) => name.includes('ratings.bookinfo'));
  return ratings.flatMap(({ endpoints }) =>
    endpoints.filter(({ state }) => state === 'ejected').map(({ address }) => address),
  );
}

/** Calls that these instances answered with gRPC UNAVAILABLE since they started. */
async function failuresAnsweredBy(names: readonly string[]): Promise<number> {
  let total = 0;
  for (const name of names) {
    for (const { labels, value } of await metricOf(instance(name), 'istio_requests_total')) {
      if (labels['reporter'] === 'destination' && labels['grpc_response_status'] === '14') total += value;
    }
  }
  return total;
}
