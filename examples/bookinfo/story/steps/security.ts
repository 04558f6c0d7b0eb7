// Zero trust: mutual TLS on every hop, plain callers reset, other identities refused.
import { request } from 'node:http';
import { INSTANCES } from '../bookinfo-processes.js';
import { instance, metricOf } from '../observe.js';
import { DETAILS, PRODUCTPAGE, type Step } from '../story.js';

export const mutualTls: Step = {
  title: 'mutual TLS on all hops',
  expected: 'every answered request came over mTLS with both SPIFFE identities',
  async run() {
    const edges = new Map<string, string>();
    let plain = 0;
    for (const spec of INSTANCES) {
      for (const { labels, value } of await metricOf(spec, 'istio_requests_total')) {
        if (labels['reporter'] !== 'destination' || value === 0) continue;
        if (labels['connection_security_policy'] !== 'mutual_tls') plain += value;
        edges.set(
          `${labels['source_principal']} -> ${labels['destination_principal']}`,
          labels['destination_workload'] ?? '',
        );
      }
    }
    const named = [...edges.keys()].every((edge) => edge.split(' -> ').every((side) => side.startsWith('spiffe://')));
    const destinations = new Set([...edges.keys()].map((edge) => edge.split('/sa/').at(-1)));
    return {
      ok: plain === 0 && named && destinations.size === 4,
      observed: `${edges.size} edges to ${destinations.size} services, ${plain} requests without mTLS`,
      details: [...edges.keys()].sort(),
    };
  },
};

export const plainCaller: Step = {
  title: 'plain-text caller',
  expected: 'connection reset',
  async run() {
    const outcome = await plainGet(instance('productpage-v1-0').ip);
    return { ok: outcome === 'ECONNRESET', observed: outcome };
  },
};

export const wrongIdentity: Step = {
  title: 'wrong identity',
  expected: '403 RBAC: access denied',
  async run(context) {
    const intruder = await context.meshAs('intruder');
    try {
      const answers = await Promise.all([PRODUCTPAGE, DETAILS].map((url) => intruder.fetch(url)));
      const texts = await Promise.all(answers.map(async (answer) => `${answer.status} ${await answer.text()}`));
      return { ok: texts.every((text) => text === '403 RBAC: access denied'), observed: texts.join(' | ') };
    } finally {
      await intruder.close();
    }
  },
};

/** What a caller without Heddle meets: the error's code, or the status when it was answered. */
function plainGet(host: string): Promise<string> {
  return new Promise((resolve) => {
    const call = request({ host, port: 9080, path: '/productpage', timeout: 5_000 }, (response) => {
      response.resume();
      resolve(`answered ${String(response.statusCode)}`);
    });
    call.on('timeout', () => call.destroy(new Error('timed out')));
    call.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    call.end();
  });
}
