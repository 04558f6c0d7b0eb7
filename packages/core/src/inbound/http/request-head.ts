// Request line and Host as policies, routes and the application all see them: hostile forms are refused, the rest is normalised once.
import type { IncomingMessage } from 'node:http';
import type { ReplyAction } from '../../filters/http-filter.js';
import type { HostRules, InboundHttp } from '../../snapshot/inbound-snapshot.js';
import type { InboundConnection } from '../inbound-connection.js';
import { isPlainTarget, normalizeTarget } from '../../matching/path-normalization.js';
import { FOUND } from './header-scan.js';
import { errorReply } from './local-reply.js';
import { setHeader } from './request-headers.js';
import { readTarget } from './request-target.js';

export interface Head {
  readonly kind: 'head';
  /** Path with query. */
  readonly path: string;
  readonly authority: string;
}

export type HeadReading =
  Head | { readonly kind: 'answer'; readonly reply: ReplyAction; readonly location?: string | undefined };

type HeadRules = Pick<InboundHttp, 'normalizePath' | 'mergeSlashes' | 'escapedSlashes' | 'host'>;

/** Rewrites `request.url` and the Host header to what was read. */
export function readHead(
  request: IncomingMessage,
  found: number,
  connection: InboundConnection,
  rules: HeadRules,
): HeadReading {
  const { url = '' } = request;
  if (isPlainTarget(url) && (found & FOUND.secondHost) === 0) {
    const authority = readHost(request, connection, rules.host);
    return authority === undefined ? refuse('invalid_host') : { kind: 'head', path: url, authority };
  }
  const target = readTarget(request.method ?? 'GET', url);
  if (target.kind === 'refused') return refuse(target.details);
  if ((found & FOUND.secondHost) !== 0) return refuse('multiple_hosts');
  if (target.authority !== undefined) setHeader(request, 'host', target.authority);
  const authority = readHost(request, connection, rules.host);
  if (authority === undefined) return refuse('invalid_host');
  const normal = normalizeTarget(target.path, rules);
  switch (normal.kind) {
    case 'refused':
      return refuse(normal.details);
    case 'redirect':
      return {
        kind: 'answer',
        reply: { ...errorReply('INVALID_REQUEST', 'path_normalization_failed'), status: 307, flag: '' },
        location: normal.path,
      };
    case 'path':
      request.url = normal.path;
      return { kind: 'head', path: normal.path, authority };
  }
}

/** reg-name, IPv4 or bracketed IPv6, with an optional port (RFC 9110 §7.2). Empty is legal where the target has no authority. */
const AUTHORITY = /^(?:[a-z0-9\-._~!$&'()*+,;=%]*|\[[0-9a-f:.%a-z]+\])(?::\d{0,5})?$/;

/** The authority in lower case; undefined when the host is none. */
function readHost(
  request: IncomingMessage,
  connection: InboundConnection,
  rules: HostRules | undefined,
): string | undefined {
  const came = request.headers.host ?? '';
  if (rules !== undefined) {
    const host = normalHost(came, rules, connection.facts.destinationPort);
    if (host !== came) setHeader(request, 'host', host);
    return checked(host);
  }
  if (came !== connection.lastHost || connection.lastAuthority === undefined) {
    connection.lastHost = came;
    connection.lastAuthority = checked(came);
  }
  return connection.lastAuthority;
}

function checked(host: string): string | undefined {
  const lower = host.toLowerCase();
  return AUTHORITY.test(lower) ? lower : undefined;
}

/** Host without its final dot and its port, where asked for (Envoy: HeaderUtility::stripTrailingHostDot, stripPortFromHost). */
export function normalHost(host: string, rules: HostRules, listenerPort: number): string {
  const colon = host.lastIndexOf(':');
  const hasPort = colon > host.lastIndexOf(']') && /^\d+$/.test(host.slice(colon + 1));
  let name = hasPort ? host.slice(0, colon) : host;
  const port = hasPort ? host.slice(colon + 1) : undefined;
  if (rules.stripTrailingDot && name.endsWith('.')) name = name.slice(0, -1);
  const strips = rules.stripPort === 'any' || (rules.stripPort === 'matching' && Number(port) === listenerPort);
  return port === undefined || strips ? name : `${name}:${port}`;
}

function refuse(details: string): HeadReading {
  return { kind: 'answer', reply: errorReply('INVALID_REQUEST', details) };
}
