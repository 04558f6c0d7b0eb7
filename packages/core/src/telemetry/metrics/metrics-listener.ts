// Answers scrapes: GET /metrics (Prometheus' habit) and /stats/prometheus (Envoy's), gzipped when the scraper takes it.
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { constants, createGzip } from 'node:zlib';
import { EXPOSITION_CONTENT_TYPE } from './text-exposition.js';

const PATHS: ReadonlySet<string> = new Set(['/metrics', '/stats/prometheus']);
/** More scrapes at once are refused: each holds a slice and a compressor. */
const MAX_CONCURRENT = 4;
/** A scraper that reads nothing for this long is dropped. */
const STALL_TIMEOUT_MS = 30_000;

/** A request listener over a source of text slices. */
export function createMetricsListener(slices: () => AsyncIterable<string>): RequestListener {
  let running = 0;
  return (request, response) => {
    const path = (request.url ?? '/').split('?', 1)[0] ?? '';
    if (!PATHS.has(path)) return refuse(response, 404, {});
    if (request.method !== 'GET' && request.method !== 'HEAD') return refuse(response, 405, { allow: 'GET, HEAD' });
    if (running >= MAX_CONCURRENT) return refuse(response, 503, { 'retry-after': '1' });
    running++;
    void answer(request, response, slices).finally(() => running--);
  };
}

/** Never rejects: a scraper that goes away ends its scrape and nothing else. */
async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  slices: () => AsyncIterable<string>,
): Promise<void> {
  const gzip = acceptsGzip(request.headers['accept-encoding']);
  response.setHeader('content-type', EXPOSITION_CONTENT_TYPE);
  response.setHeader('vary', 'accept-encoding');
  if (gzip) response.setHeader('content-encoding', 'gzip');
  response.setTimeout(STALL_TIMEOUT_MS, () => response.destroy());
  if (request.method === 'HEAD') {
    response.end();
    return;
  }
  try {
    const source = Readable.from(slices(), { objectMode: true, highWaterMark: 1 });
    if (gzip) await pipeline(source, createGzip({ level: constants.Z_BEST_SPEED }), response);
    else await pipeline(source, response);
  } catch {
    response.destroy();
  }
}

/** True when the header takes gzip (RFC 9110 §12.5.3); `q=0` refuses it. */
export function acceptsGzip(header: string | string[] | undefined): boolean {
  for (const item of String(header ?? '').split(',')) {
    const [coding = '', ...parameters] = item.split(';').map((part) => part.trim().toLowerCase());
    if (coding !== 'gzip' && coding !== '*') continue;
    if (!parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter))) return true;
  }
  return false;
}

function refuse(response: ServerResponse, status: number, headers: Readonly<Record<string, string>>): void {
  response.writeHead(status, { 'content-length': '0', ...headers });
  response.end();
}
