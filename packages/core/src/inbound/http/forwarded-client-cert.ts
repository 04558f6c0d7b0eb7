// The x-forwarded-client-cert header that an application sees (Envoy: forward_client_cert_details, set_current_client_cert_details).
import type { InboundHttp } from '../../snapshot/inbound-snapshot.js';

export type ForwardMode = InboundHttp['forwardClientCert'];

/** The peer's validated certificate, as far as the header tells of it. */
export interface ForwardedPeer {
  readonly sha256: string;
  readonly uris: readonly string[];
  readonly dnsNames: readonly string[];
  readonly subject: string;
  /** URL-encoded PEM, where it is to be told. */
  readonly pem?: string | undefined;
  readonly chainPem?: string | undefined;
}

export type ForwardedDetail = 'Subject' | 'URI' | 'DNS' | 'Cert' | 'Chain';

/** What istiod asks for. */
export const ISTIO_DETAILS: readonly ForwardedDetail[] = ['Subject', 'URI', 'DNS'];

/**
 * The header's new value; undefined removes it. Without a peer certificate everything but `always-forward-only` removes what came: nobody vouches
 * for it.
 */
export function forwardedClientCert(
  mode: ForwardMode,
  incoming: string | undefined,
  peer: ForwardedPeer | undefined,
  localUris: readonly string[],
  details: readonly ForwardedDetail[] = ISTIO_DETAILS,
): string | undefined {
  if (mode === 'always-forward-only') return incoming;
  if (peer === undefined || mode === 'sanitize') return undefined;
  if (mode === 'forward-only') return incoming;
  const current = currentElement(peer, localUris, details);
  return mode === 'append-forward' && incoming !== undefined && incoming !== '' ? `${incoming},${current}` : current;
}

function currentElement(
  peer: ForwardedPeer,
  localUris: readonly string[],
  details: readonly ForwardedDetail[],
): string {
  const parts = [...localUris.map((uri) => `By=${uri}`), `Hash=${peer.sha256}`];
  // Empty for Istio's certificates, and told all the same (Envoy).
  if (details.includes('Subject')) parts.push(`Subject="${quoted(peer.subject)}"`);
  // Envoy: a certificate without URI SAN gives an empty `URI=`.
  if (details.includes('URI'))
    parts.push(...(peer.uris.length === 0 ? ['URI='] : peer.uris.map((uri) => `URI=${uri}`)));
  if (details.includes('Cert') && peer.pem !== undefined) parts.push(`Cert="${peer.pem}"`);
  if (details.includes('Chain') && peer.chainPem !== undefined) parts.push(`Chain="${peer.chainPem}"`);
  if (details.includes('DNS')) parts.push(...peer.dnsNames.map((name) => `DNS=${name}`));
  return parts.join(';');
}

/** A subject can hold quotes, and then they are escaped so that it can't end its own field. */
function quoted(text: string): string {
  return text.replace(/["\\]/g, '\\$&');
}
