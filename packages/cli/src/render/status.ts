// Status as text: a table of a feed's clients, or one process in a few lines.
import type { MeshStatus } from '@heddle/core';
import type { FeedClient } from '../feed-clients.js';

export function clientLines(clients: readonly FeedClient[]): string[] {
  if (clients.length === 0) return ['nobody is connected'];
  const rows = clients.flatMap(({ node, types }) =>
    types.map(({ type, state, ackedVersion, sentVersion }) => [
      node,
      type,
      state,
      ackedVersion || '-',
      sentVersion || '-',
    ]),
  );
  const refusals = clients.flatMap(({ node, types }) =>
    types
      .filter(({ refusal }) => refusal !== undefined)
      .map(({ type, refusal }) => `${node} refused ${type}: ${refusal ?? ''}`),
  );
  return [
    ...tableLines(['WORKLOAD', 'TYPE', 'STATE', 'ACKED', 'SENT'], rows),
    ...(refusals.length > 0 ? ['', ...refusals] : []),
  ];
}

export function processLines(status: MeshStatus): string[] {
  const { service, feed, identity, clusters, unsupported } = status;
  const lines = [
    `${service.name}.${service.namespace} (heddle ${status.version}): ${status.ready ? 'ready' : 'not ready'}${status.draining ? ', draining' : ''}`,
    `feed      ${feed.name}: ${feed.phase}, generation ${feed.generation}${feed.waitingFor === undefined ? '' : `, ${feed.waitingFor}`}`,
    `identity  ${identity.spiffeId ?? 'none'}${identity.notAfter === undefined ? '' : ` until ${identity.notAfter}`} (${identity.provider})`,
    ...feed.rejected.map(({ name, message }) => `refused   ${name}: ${message}`),
    ...unsupported.map(({ resource, path, consequence }) => `unsupported ${resource} ${path}: ${consequence}`),
  ];
  const rows = clusters.flatMap(({ name, endpoints }) =>
    endpoints.map(({ address, state, activeRequests, totalRequests, failedRequests }) => [
      name,
      address,
      state,
      String(activeRequests),
      String(totalRequests),
      String(failedRequests),
    ]),
  );
  return rows.length === 0
    ? lines
    : [...lines, '', ...tableLines(['CLUSTER', 'ENDPOINT', 'STATE', 'ACTIVE', 'TOTAL', 'FAILED'], rows)];
}

function tableLines(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  return [head, ...rows].map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
