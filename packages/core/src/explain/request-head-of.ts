// The head of an imagined request, as matchers see a real one.
import { MeshError } from '../errors.js';
import type { RequestHead } from '../request-head.js';
import type { ExplainRequest } from './explanation.js';

export interface ImaginedRequest {
  readonly head: RequestHead;
  readonly host: string;
  readonly port: number;
  readonly secure: boolean;
}

/** Throws MeshError INVALID_REQUEST for a URL that is not absolute http(s). */
export function imaginedRequest({ method = 'GET', url, headers = {} }: ExplainRequest): ImaginedRequest {
  const match = /^(https?):\/\/([^/?#]+)(\/[^#]*|\?[^#]*)?/i.exec(url);
  if (match === null) throw new MeshError('INVALID_REQUEST', `expected an absolute http:// URL, got "${url}"`);
  const scheme = (match[1] ?? 'http').toLowerCase();
  const urlAuthority = (match[2] ?? '').toLowerCase();
  const rest = match[3] ?? '/';
  const path = rest.startsWith('/') ? rest : `/${rest}`;
  const secure = scheme === 'https';
  const { host, port } = splitAuthority(urlAuthority, secure ? 443 : 80);
  const values = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  const authority = values.get('host')?.toLowerCase() ?? urlAuthority;
  values
    .set(':method', method)
    .set(':path', path)
    .set(':authority', authority)
    .set(':scheme', scheme)
    .set('host', authority);
  const head: RequestHead = { method, path, authority, scheme, header: (name) => values.get(name) };
  return { head, host, port, secure };
}

function splitAuthority(authority: string, defaultPort: number): { host: string; port: number } {
  const match = /^(.*?)(?::(\d{1,5}))?$/.exec(authority);
  return { host: match?.[1] ?? authority, port: match?.[2] === undefined ? defaultPort : Number(match[2]) };
}
