// Puts a mesh under a process that doesn't know it: what leaves by fetch or undici goes through it, and what http servers accept.
import type { Mesh } from '../mesh.js';
import { loggerFrom } from '../logger.js';
import { onTerminate } from '../signals.js';
import { setGlobalDispatchers } from '../../transport/undici.js';
import { adoptServers } from './application-servers.js';
import { ProcessDispatcher } from './process-dispatcher.js';

/** To be called once in a process, before the application's first module. */
export function joinProcess(mesh: Mesh): void {
  const { inbound, settings, clock } = mesh.internals;
  setGlobalDispatchers(new ProcessDispatcher(mesh.dispatcher));
  let stopListening: (() => void) | undefined;
  const log = loggerFrom(settings.log, () => clock.wallMs());
  adoptServers({
    // Only a process that serves drains; any other ends at SIGTERM as it would without Heddle.
    adopt: (server) => {
      inbound.adopt(server);
      if (settings.handleSignals) stopListening ??= onTerminate(() => mesh.close());
    },
    leftAlone: (port) =>
      log.warn({ port }, 'a TLS server of the application stays outside of the mesh: no inbound policy holds there'),
  });
}
