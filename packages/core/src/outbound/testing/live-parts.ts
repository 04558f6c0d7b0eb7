// Real HTTP servers and an OutboundClient over a hand-made snapshot, for tests; `cleanUp` ends them all.
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { systemClock } from '../../clock.js';
import { ClusterStates } from '../../cluster-state/cluster-states.js';
import { seededDraws } from '../../draws.js';
import type { ClusterSnapshot } from '../../snapshot/cluster-snapshot.js';
import type { RoutePlan } from '../../snapshot/route-snapshot.js';
import type { Snapshot } from '../../snapshot/snapshot.js';
import { OutboundClient } from '../outbound-client.js';
import { RecordingTelemetry, plainSecurity, snapshot } from './snapshot-fixture.js';

export class LiveParts {
  readonly #cleanups: (() => Promise<unknown>)[] = [];

  /** Ends everything that was started, last first. */
  async cleanUp(): Promise<void> {
    for (const cleanup of this.#cleanups.splice(0).reverse()) await cleanup();
  }

  onCleanUp(cleanup: () => Promise<unknown>): void {
    this.#cleanups.push(cleanup);
  }

  async serve(listener: RequestListener): Promise<{ address: string; server: Server }> {
    const server = createServer(listener);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    this.onCleanUp(() => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    });
    return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, server };
  }

  client(clusters: readonly ClusterSnapshot[], plan: RoutePlan) {
    return this.clientOf(snapshot(clusters, () => plan));
  }

  clientOf(current: Snapshot) {
    const telemetry = new RecordingTelemetry();
    const draws = seededDraws(7);
    const states = new ClusterStates(systemClock, draws);
    const security = plainSecurity;
    const outbound = new OutboundClient({
      snapshot: () => current,
      states,
      clock: systemClock,
      draws,
      security,
      telemetry,
    });
    this.onCleanUp(() => outbound.close({ drainMs: 100 }));
    return { outbound, telemetry, states, fetch: outbound.fetch };
  }
}
