// What happens in the rooms, as log lines. No request data, no secrets.
import type { FeedEvent } from '../feed/feed-status.js';
import type { IdentityEvent } from '../identity/identity-store.js';
import type { InboundEvent } from '../inbound/inbound-event.js';
import type { MeshLogger } from './mesh-options.js';

/** Logs a feed's events; a feed that stays away is one warning, not one for each attempt to reach it. */
export function feedEventLog(log: MeshLogger): (event: FeedEvent) => void {
  let away = false;
  return (event) => {
    if (event.kind !== 'state') return logFeedEvent(log, event);
    const { state } = event;
    if (state.phase === 'disconnected' && !away) log.warn(state, 'feed disconnected; what it delivered stays in force');
    else log[state.phase === 'connected' && away ? 'info' : 'debug'](state, `feed ${state.phase}`);
    if (state.phase !== 'connecting') away = state.phase === 'disconnected';
  };
}

function logFeedEvent(log: MeshLogger, event: Exclude<FeedEvent, { readonly kind: 'state' }>): void {
  switch (event.kind) {
    case 'rejected':
      return log.error(event, 'resource refused; its last good version stays in force');
    case 'recovered':
      return log.info(event, 'resource accepted again');
    case 'missing':
      return log.warn(event, 'resources do not exist');
    case 'ready':
      return log.info(event, 'configuration complete');
    case 'view-failed':
      return log.error({ error: String(event.error) }, 'a new configuration could not be put in force');
  }
}

export function logIdentityEvent(log: MeshLogger, event: IdentityEvent): void {
  switch (event.kind) {
    case 'rotated':
      return log.info(event, 'certificate in use');
    case 'bundles-changed':
      return log.info(event, 'trust bundles changed');
    case 'refused':
      return log.error(event, 'delivered certificate refused');
    case 'failed':
      return log.warn(event, 'certificate could not be fetched; the present one stays in use');
    case 'expiring':
      return log.warn(event, 'certificate is running out and was not renewed');
    case 'expired':
      return log.error(event, 'certificate expired without renewal; mutual TLS is impossible until there is a new one');
  }
}

export function logInboundEvent(log: MeshLogger, event: InboundEvent): void {
  switch (event.kind) {
    case 'connection-refused':
    case 'connection-revoked':
    case 'handshake-failed':
      return log.debug(event, event.kind);
    case 'application-error':
      return log.error(
        {
          method: event.method,
          error: event.error instanceof Error ? (event.error.stack ?? event.error.message) : String(event.error),
        },
        'the application threw',
      );
  }
}
