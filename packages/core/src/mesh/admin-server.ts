// The admin endpoint (HEDDLE_ADMIN, off by default) and the health endpoint (HEDDLE_HEALTH): plain HTTP for operators, kubelet and Prometheus.
// The admin endpoint listens on loopback or a Unix socket only.
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { isIP } from 'node:net';
import { MeshError } from '../errors.js';
import type { ExplainRequest } from '../explain/explanation.js';

export interface AdminSources {
  status(): object;
  explain(request: ExplainRequest): object;
  ready(): boolean;
  readonly metrics: RequestListener;
}

export interface AdminServer {
  /** `127.0.0.1:15000` or the socket's path. */
  readonly address: string;
  close(): Promise<void>;
}

/** `/status`, `/explain?url=…&method=…&header=name:value`, `/metrics`, `/stats/prometheus`, `/ready`. */
export function startAdminServer(address: string, sources: AdminSources): Promise<AdminServer> {
  const target = adminTarget(address);
  return listening(createServer(adminListener(sources)), target);
}

/** `/ready` (503 until ready and while draining), `/healthz/ready` as Istio's agent, and the metrics. */
export function startHealthServer(port: number, host: string, sources: AdminSources): Promise<AdminServer> {
  return listening(createServer(healthListener(sources)), { host, port });
}

type ListenTarget = { readonly path: string } | { readonly host: string; readonly port: number };

/** Throws MeshError CONFIG_INVALID for anything but `unix:PATH` or a loopback address with a port. */
function adminTarget(address: string): ListenTarget {
  if (address.startsWith('unix:') && address.length > 5) return { path: address.slice(5) };
  const match = /^(\[::1\]|127(?:\.\d{1,3}){3}|localhost):(\d{1,5})$/.exec(address);
  const host = match?.[1] === '[::1]' ? '::1' : match?.[1];
  if (host !== undefined && (host === 'localhost' || isIP(host) !== 0)) return { host, port: Number(match?.[2]) };
  throw new MeshError(
    'CONFIG_INVALID',
    `admin: expected unix:/path or a loopback address like 127.0.0.1:15000, got "${address}"`,
  );
}

function listening(server: Server, target: ListenTarget): Promise<AdminServer> {
  server.unref();
  server.headersTimeout = 5_000;
  server.requestTimeout = 10_000;
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => reject(new MeshError('CONFIG_INVALID', `admin: ${cause.message}`, { cause })));
    server.listen(target, () => {
      server.on('error', () => undefined);
      resolve({ address: addressText(server), close: () => closed(server) });
    });
  });
}

function addressText(server: Server): string {
  const address = server.address();
  if (address === null || typeof address === 'string') return address ?? '';
  return `${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}`;
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

function adminListener(sources: AdminSources): RequestListener {
  return (request, response) => {
    const url = new URL(request.url ?? '/', 'http://admin');
    if (isForeignPage(request)) return replyText(response, 403, 'requests of web pages are refused\n');
    if (url.pathname === '/status') return replyJson(response, 200, sources.status());
    if (url.pathname === '/explain') return replyExplanation(url, sources, response);
    commonPages(url.pathname, request, response, sources);
  };
}

/** A page of another origin must not read the mesh through the user's browser: cross-site requests and DNS rebinding. */
function isForeignPage({ headers }: IncomingMessage): boolean {
  const host = (headers.host ?? '').replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
  return headers.origin !== undefined || (host !== '' && host !== 'localhost' && isIP(host) === 0);
}

function healthListener(sources: AdminSources): RequestListener {
  return (request, response) =>
    commonPages(new URL(request.url ?? '/', 'http://health').pathname, request, response, sources);
}

function commonPages(path: string, request: IncomingMessage, response: ServerResponse, sources: AdminSources): void {
  if (path === '/metrics' || path === '/stats/prometheus') return sources.metrics(request, response);
  if (path === '/ready' || path === '/healthz/ready') {
    return sources.ready() ? replyText(response, 200, 'ready\n') : replyText(response, 503, 'not ready\n');
  }
  replyText(response, 404, 'not found\n');
}

function replyExplanation(url: URL, sources: AdminSources, response: ServerResponse): void {
  const target = url.searchParams.get('url');
  if (target === null) return replyText(response, 400, 'explain needs ?url=http://service:port/path\n');
  const headers = url.searchParams.getAll('header').map((pair): [string, string] => {
    const colon = pair.indexOf(':');
    return colon < 0 ? [pair, ''] : [pair.slice(0, colon).trim(), pair.slice(colon + 1).trim()];
  });
  try {
    const method = url.searchParams.get('method') ?? 'GET';
    replyJson(response, 200, sources.explain({ url: target, method, headers: Object.fromEntries(headers) }));
  } catch (error) {
    const status = MeshError.is(error) ? error.kind.httpStatus : 500;
    replyText(response, status, `${error instanceof Error ? error.message : String(error)}\n`);
  }
}

function replyJson(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(`${JSON.stringify(body, null, 2)}\n`);
}

function replyText(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(body);
}
