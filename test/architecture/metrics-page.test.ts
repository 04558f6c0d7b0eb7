// docs/reference/metrics.md says what a scrape shows: every metric with its type and labels, and nothing else.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { createMesh } from '@heddle/core';
import { systemClock } from '../../packages/core/src/clock.js';
import { registerMeshMetrics } from '../../packages/core/src/mesh/mesh-metrics.js';
import { createTelemetry } from '../../packages/core/src/telemetry/create-telemetry.js';
import { callRecord } from '../../packages/core/src/testing/call-records.js';
import { parseExposition } from '../../packages/core/src/testing/prometheus-text.js';

const page = readFileSync(fileURLToPath(new URL('../../docs/reference/metrics.md', import.meta.url)), 'utf8');
const rows = page
  .split('\n')
  .filter((line) => line.startsWith('| `'))
  .map((line) => line.split('|').map((cell) => cell.trim().replaceAll('`', '')));
const metricRows = rows.filter((cells) => cells.length === 6);
const callLabels = rows.filter((cells) => cells.length === 4).map(([, label]) => label ?? '');
const HTTP_ONLY = ['response_code', 'grpc_response_status'];

/** What a process shows after one HTTP and one TCP call, with an ejected endpoint. */
async function scrape(): Promise<string> {
  const mesh = await createMesh({ service: { name: 'docs' }, identity: 'none' });
  const status = mesh.status();
  const clusters = [{ name: 'outbound|80||docs', activeEjections: 1 }] as unknown as typeof status.clusters;
  const node = { workload: 'w', namespace: 'n', labels: {}, serviceAccount: 's', clusterId: 'K', trustDomain: 't' };
  const telemetry = createTelemetry({ node, ownPrincipal: () => undefined, clock: systemClock, draws: () => 0.5 });
  registerMeshMetrics(telemetry.metrics, () => ({ ...status, clusters }));
  telemetry.outbound.finish(callRecord());
  telemetry.outbound.finish(callRecord({ protocol: 'tcp' }));
  const text = await telemetry.metrics.renderMetrics();
  await mesh.close();
  return text;
}

function labelsOf(group: string): string[] {
  if (group === 'HTTP') return callLabels;
  if (group === 'TCP') return callLabels.filter((label) => !HTTP_ONLY.includes(label));
  return group === '' ? [] : group.split(', ');
}

it('lists every metric with its type and its labels', async () => {
  const text = await scrape();
  const shown = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => [name, type]);
  expect(metricRows.map(([, name, type]) => [name, type]).sort()).toEqual(shown.sort());
  const samples = parseExposition(text);
  for (const [, name = '', , group = ''] of metricRows) {
    const sample = samples.find((one) => one.name === name || one.name === `${name}_count`);
    expect([name, Object.keys(sample?.labels ?? {}).sort()]).toEqual([name, labelsOf(group).sort()]);
  }
});
