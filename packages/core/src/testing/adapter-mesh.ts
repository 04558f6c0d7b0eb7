// A mesh's inbound side alone, for tests of adapters: policies given as filters, the rest real.
import type { RequestListener, Server } from 'node:http';
import { systemClock } from '../clock.js';
import type { HttpFilter } from '../filters/http-filter.js';
import type { Application } from '../inbound/app-listener.js';
import type { InboundAccess } from '../inbound/inbound-access.js';
import { InboundServer, type InboundListener } from '../inbound/inbound-server.js';
import type { InboundSnapshot } from '../snapshot/inbound-snapshot.js';
import type { CallRecord } from '../telemetry/call-record.js';
import {
  inboundHttp,
  inboundSnapshot,
  recordingTelemetry,
  snapshotOf,
  testWorkload,
  type TlsMode,
} from './inbound-fixtures.js';
import { testAuthority } from './test-certificates.js';

export interface AdapterMesh {
  readonly inbound: InboundAccess;
  /** Serves as mesh.serve does; the port given is not used, a free one of 127.0.0.1 is. */
  serve(application: Application, port?: number): Promise<InboundListener>;
  createServer(listener?: RequestListener): Server;
  /** Resolves with the record of the n-th finished request. */
  finished(count: number): Promise<CallRecord>;
  /** Listeners that `serve` made. */
  readonly listeners: readonly InboundListener[];
  close(): Promise<void>;
}

export function adapterMesh(filters: readonly HttpFilter[] = [], mode: TlsMode = 'permissive'): AdapterMesh {
  const authority = testAuthority('cluster.local');
  const own = testWorkload(authority, 'spiffe://cluster.local/ns/default/sa/app');
  const inbound: InboundSnapshot = inboundSnapshot(mode, { http: inboundHttp(filters, { mergeSlashes: true }) });
  const { telemetry, finished } = recordingTelemetry();
  const snapshot = snapshotOf(inbound);
  const { security } = own;
  const server = new InboundServer({
    snapshot: () => snapshot,
    security,
    telemetry,
    clock: systemClock,
    draws: () => 0.5,
  });
  const listeners: InboundListener[] = [];
  return {
    inbound: server,
    async serve(application) {
      const listener = await server.listen(application, 0, '127.0.0.1');
      listeners.push(listener);
      return listener;
    },
    createServer: (listener) => server.createServer(listener),
    finished,
    listeners,
    async close() {
      await server.drain(0);
      own.close();
    },
  };
}

/** Denies every path that begins with `prefix`, as an RBAC filter would. */
export function denyPrefix(prefix: string): HttpFilter {
  return {
    name: 'envoy.filters.http.rbac',
    typeUrl: '',
    decide: (request) =>
      request.normalizedPath.startsWith(prefix)
        ? {
            kind: 'reply',
            code: 'DENIED',
            status: 403,
            grpcStatus: 7,
            headers: [],
            body: 'RBAC: access denied',
            flag: '-',
            details: 'rbac_access_denied_matched_policy[test]',
            policy: 'test',
          }
        : undefined,
    explain: () => ({ verdict: 'info', reason: '' }),
  };
}
