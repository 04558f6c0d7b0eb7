// SPIFFE ids (SPIFFE-ID specification §2): `spiffe://TRUST-DOMAIN/path`, parsed by hand, byte for byte, without normalising anything.

export interface SpiffeId {
  /** The whole id as given. */
  readonly text: string;
  readonly trustDomain: string;
  /** Empty or `/segment/…`. */
  readonly path: string;
  /** From Istio-shaped paths `/ns/NAMESPACE/sa/ACCOUNT`; undefined for other shapes. */
  readonly namespace: string | undefined;
  readonly serviceAccount: string | undefined;
}

export type SpiffeIdResult =
  { readonly ok: true; readonly id: SpiffeId } | { readonly ok: false; readonly reason: string };

const scheme = 'spiffe://';
const trustDomainCharacters = /^[a-z0-9._-]+$/;
const segmentCharacters = /^[a-zA-Z0-9._-]+$/;
const istioPath = /^\/ns\/([^/]+)\/sa\/([^/]+)$/;
/** SPIFFE-ID §2.3: the longest id that implementations must support; longer ones are refused. */
const maxIdBytes = 2048;
const maxTrustDomainBytes = 255;

const invalid = (reason: string) => ({ ok: false, reason }) as const;

export function parseSpiffeId(text: string): SpiffeIdResult {
  if (text === '') return invalid('empty');
  if (!text.startsWith(scheme)) return invalid('scheme is not spiffe://');
  if (text.length > maxIdBytes) return invalid('longer than 2048 bytes');
  const slash = text.indexOf('/', scheme.length);
  const trustDomain = slash < 0 ? text.slice(scheme.length) : text.slice(scheme.length, slash);
  const path = slash < 0 ? '' : text.slice(slash);
  const fault = trustDomainFault(trustDomain) ?? pathFault(path);
  if (fault !== undefined) return invalid(fault);
  const [, namespace, serviceAccount] = istioPath.exec(path) ?? [];
  return { ok: true, id: { text, trustDomain, path, namespace, serviceAccount } };
}

/** What is wrong with a trust domain name; undefined when nothing is. */
export function trustDomainFault(name: string): string | undefined {
  if (name === '') return 'trust domain is missing';
  if (name.length > maxTrustDomainBytes) return 'trust domain is longer than 255 bytes';
  return trustDomainCharacters.test(name) ? undefined : 'trust domain characters';
}

/** What is wrong with a path (empty, or from its first `/` on); undefined when nothing is. */
export function pathFault(path: string): string | undefined {
  if (path === '') return undefined;
  if (!path.startsWith('/')) return 'path does not start with /';
  if (path === '/') return 'trailing slash';
  const segments = path.slice(1).split('/');
  for (const [index, segment] of segments.entries()) {
    if (segment === '')
      return index === segments.length - 1 && index > 0 && segments[index - 1] !== ''
        ? 'trailing slash'
        : 'empty segment';
    if (segment === '.' || segment === '..') return 'dot segment';
    if (!segmentCharacters.test(segment)) return 'path segment characters';
  }
  return undefined;
}

/** The id that Istio gives a workload. Throws nothing: the parts are checked where the id is parsed. */
export function istioSpiffeId(trustDomain: string, namespace: string, serviceAccount: string): string {
  return `${scheme}${trustDomain}/ns/${namespace}/sa/${serviceAccount}`;
}
