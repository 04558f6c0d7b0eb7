// Who asks for a certificate? The bearer token of a dev CA: `NAMESPACE/SERVICEACCOUNT`, believed from callers on this host, or
// `NAMESPACE/SERVICEACCOUNT:SECRET` where the CA has a shared secret, which then every caller must know.
import { createHash, timingSafeEqual } from 'node:crypto';
import { SigningRefused } from './signing-refused.js';

export interface CallerClaims {
  readonly namespace: string;
  readonly serviceAccount: string;
}

export interface Caller {
  /** The `authorization` metadata; undefined when absent. */
  readonly authorization: string | undefined;
  /** `ip:port` of the connection, as grpc-js tells it. */
  readonly peer: string;
}

/** Kubernetes' names: DNS labels, and DNS subdomains for service accounts (RFC 1123). */
const tokenShape =
  /^Bearer ([a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)\/([a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?)(?::(.+))?$/;

/** Throws SigningRefused. */
export function callerClaims(caller: Caller, sharedSecret: string | undefined): CallerClaims {
  const [, namespace, serviceAccount, secret] = tokenShape.exec(caller.authorization ?? '') ?? [];
  if (namespace === undefined || serviceAccount === undefined)
    throw new SigningRefused('UNAUTHENTICATED', 'expected a bearer token NAMESPACE/SERVICEACCOUNT');
  if (sharedSecret !== undefined) {
    if (!equalSecrets(secret ?? '', sharedSecret))
      throw new SigningRefused(
        'UNAUTHENTICATED',
        'the token does not carry the secret of this CA (NAMESPACE/SERVICEACCOUNT:SECRET)',
      );
  } else if (!isLoopback(caller.peer)) {
    throw new SigningRefused(
      'PERMISSION_DENIED',
      `${caller.peer} is not on this host, and this CA has no shared secret that could vouch for it`,
    );
  }
  return { namespace, serviceAccount };
}

/** In constant time, whatever the lengths. */
function equalSecrets(given: string, expected: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}

function isLoopback(peer: string): boolean {
  return /^(?:(?:::ffff:)?127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[?(?:::ffff:127\.\d{1,3}\.\d{1,3}\.\d{1,3}|::1)\]?):\d+$/.test(
    peer,
  );
}
