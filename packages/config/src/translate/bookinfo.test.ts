// Istio's Bookinfo samples, each asked by an imaginary call: which cluster would answer?
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Cluster_DiscoveryType, type HTTPFault, HTTPFaultSchema, unpackAny } from '@heddle/xds';
import { describe, expect, it } from 'vitest';
import { corpus } from '../../../../test/support/config/corpora.js';
import { type Call, clusterNamed, simulateCall } from '../../../../test/support/config/simulated-call.js';
import { translatedMesh } from '../../../../test/support/config/translated-mesh.js';

const samples = corpus('istio-samples');
const base = samples === undefined ? '' : join(samples, 'bookinfo');
const read = (...path: string[]) => readFileSync(join(base, ...path), 'utf8');

function mesh(...files: string[]) {
  const yaml = ['platform/kube/bookinfo.yaml', ...files].map((file) => read(file)).join('\n---\n');
  return translatedMesh({ yaml, workload: { labels: { app: 'productpage', version: 'v1' } } });
}

function clusters(files: readonly string[], call: Call): Readonly<Record<string, number>> {
  const found = simulateCall(mesh(...files), call).clusters;
  return Object.fromEntries(Object.entries(found).map(([name, weight]) => [shortName(name), weight]));
}

/** `outbound|9080|v1|reviews.default.svc.cluster.local` -> `reviews/v1`. */
function shortName(cluster: string): string {
  const [, , subset = '', host = ''] = cluster.split('|');
  const name = host.replace('.default.svc.cluster.local', '');
  return subset === '' ? name : `${name}/${subset}`;
}

const rules = 'networking/destination-rule-all.yaml';
const reviews = { url: 'http://reviews:9080/reviews/0' };
const jason = { ...reviews, headers: { 'end-user': 'jason' } };
const ratings = { url: 'http://ratings:9080/ratings/0' };

describe.skipIf(samples === undefined)('calls in Bookinfo (needs the corpus istio-samples)', () => {
  const table: readonly (readonly [string, readonly string[], Call, Record<string, number>])[] = [
    ['plain', [], reviews, { reviews: 1 }],
    ['virtual-service-all-v1', [rules, 'networking/virtual-service-all-v1.yaml'], reviews, { 'reviews/v1': 1 }],
    ['virtual-service-all-v1', [rules, 'networking/virtual-service-all-v1.yaml'], ratings, { 'ratings/v1': 1 }],
    [
      'virtual-service-details-v2',
      [rules, 'networking/virtual-service-details-v2.yaml'],
      { url: 'http://details:9080/details/0' },
      { 'details/v2': 1 },
    ],
    [
      'virtual-service-reviews-50-v3',
      [rules, 'networking/virtual-service-reviews-50-v3.yaml'],
      reviews,
      { 'reviews/v1': 50, 'reviews/v3': 50 },
    ],
    [
      'virtual-service-reviews-80-20',
      [rules, 'networking/virtual-service-reviews-80-20.yaml'],
      reviews,
      { 'reviews/v1': 80, 'reviews/v2': 20 },
    ],
    [
      'virtual-service-reviews-90-10',
      [rules, 'networking/virtual-service-reviews-90-10.yaml'],
      reviews,
      { 'reviews/v1': 90, 'reviews/v2': 10 },
    ],
    [
      'virtual-service-reviews-v2-v3',
      [rules, 'networking/virtual-service-reviews-v2-v3.yaml'],
      reviews,
      { 'reviews/v2': 50, 'reviews/v3': 50 },
    ],
    ['virtual-service-reviews-v3', [rules, 'networking/virtual-service-reviews-v3.yaml'], reviews, { 'reviews/v3': 1 }],
    [
      'virtual-service-reviews-test-v2',
      [rules, 'networking/virtual-service-reviews-test-v2.yaml'],
      reviews,
      { 'reviews/v1': 1 },
    ],
    [
      'virtual-service-reviews-test-v2 as jason',
      [rules, 'networking/virtual-service-reviews-test-v2.yaml'],
      jason,
      { 'reviews/v2': 1 },
    ],
    [
      'virtual-service-reviews-jason-v2-v3',
      [rules, 'networking/virtual-service-reviews-jason-v2-v3.yaml'],
      reviews,
      { 'reviews/v3': 1 },
    ],
    [
      'virtual-service-reviews-jason-v2-v3 as jason',
      [rules, 'networking/virtual-service-reviews-jason-v2-v3.yaml'],
      jason,
      { 'reviews/v2': 1 },
    ],
    ['virtual-service-ratings-db', [rules, 'networking/virtual-service-ratings-db.yaml'], ratings, { 'ratings/v2': 1 }],
    [
      'virtual-service-ratings-mysql',
      [rules, 'networking/virtual-service-ratings-mysql.yaml'],
      ratings,
      { 'ratings/v2-mysql': 1 },
    ],
    [
      'virtual-service-ratings-mysql-vm',
      [rules, 'networking/virtual-service-ratings-mysql-vm.yaml'],
      ratings,
      { 'ratings/v2-mysql-vm': 1 },
    ],
    [
      'gateway-api route-reviews-90-10',
      ['platform/kube/bookinfo-versions.yaml', 'gateway-api/route-reviews-90-10.yaml'],
      reviews,
      { 'reviews-v1': 90, 'reviews-v2': 10 },
    ],
    [
      'gateway-api route-reviews-50-v3',
      ['platform/kube/bookinfo-versions.yaml', 'gateway-api/route-reviews-50-v3.yaml'],
      reviews,
      { 'reviews-v1': 50, 'reviews-v3': 50 },
    ],
    [
      'gateway-api route-reviews-v1',
      ['platform/kube/bookinfo-versions.yaml', 'gateway-api/route-reviews-v1.yaml'],
      reviews,
      { 'reviews-v1': 1 },
    ],
    [
      'gateway-api route-reviews-v3',
      ['platform/kube/bookinfo-versions.yaml', 'gateway-api/route-reviews-v3.yaml'],
      reviews,
      { 'reviews-v3': 1 },
    ],
    [
      'gateway-api route-all-v1',
      ['platform/kube/bookinfo-versions.yaml', 'gateway-api/route-all-v1.yaml'],
      ratings,
      { 'ratings-v1': 1 },
    ],
  ];
  for (const [name, files, call, expected] of table) {
    it(`${name}: ${call.url} goes to ${Object.keys(expected).join(' and ')}`, () =>
      expect(clusters(files, call)).toEqual(expected));
  }

  it('delays and aborts only calls of jason', () => {
    for (const [file, expected] of [
      ['virtual-service-ratings-test-delay.yaml', { delay: '7s' }],
      ['virtual-service-ratings-test-abort.yaml', { abort: 500 }],
    ] as const) {
      const resources = mesh(rules, `networking/${file}`);
      const withUser = simulateCall(resources, { ...ratings, headers: { 'end-user': 'jason' } });
      expect(describeFault(faultOf(withUser))).toEqual(expected);
      expect(faultOf(simulateCall(resources, ratings))).toBeUndefined();
    }
  });

  it('delays every call to details by 7 seconds', () => {
    const resources = mesh(rules, 'networking/fault-injection-details-v1.yaml');
    const fault = faultOf(simulateCall(resources, { url: 'http://details:9080/details/0' }));
    expect(fault?.abort ?? fault?.delay).toBeDefined();
  });

  it('knows every host that an egress entry opens', () => {
    const resources = mesh('networking/egress-rule-google-apis.yaml');
    expect(clusterNamed(resources, 'outbound|443||www.googleapis.com').clusterDiscoveryType.value).toBe(
      Cluster_DiscoveryType.STRICT_DNS,
    );
    expect(resources.listeners.map((listener) => listener.name)).toContain('0.0.0.0_443');
  });

  it('translates every networking sample without an exception', () => {
    for (const file of readdirSync(join(base, 'networking'))) {
      const resources = mesh(`networking/${file}`);
      expect(resources.clusters.length, file).toBeGreaterThan(4);
    }
  });
});

function faultOf({ route }: ReturnType<typeof simulateCall>): HTTPFault | undefined {
  return unpackAny(HTTPFaultSchema, route.typedPerFilterConfig['envoy.filters.http.fault']);
}

function describeFault(fault: HTTPFault | undefined) {
  const delay = fault?.delay?.faultDelaySecifier;
  if (delay?.case === 'fixedDelay') return { delay: `${delay.value.seconds}s` };
  return { abort: fault?.abort?.errorType.value };
}
