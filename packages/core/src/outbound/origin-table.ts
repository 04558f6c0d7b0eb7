// Origins that calls name, parsed once, each with what the present snapshot says of it.
import { MeshError } from '../errors.js';
import type { Snapshot } from '../snapshot/snapshot.js';
import { Destination } from './destination.js';

export class Origin extends Destination {
  readonly scheme: 'http' | 'https';

  constructor(scheme: 'http' | 'https', host: string, port: number, authority: string) {
    super(host, port, authority);
    this.scheme = scheme;
  }
}

/** Origins beyond this are parsed anew each time: a caller may build them from untrusted input. */
const MAX_ORIGINS = 4096;

export class OriginTable {
  readonly #origins = new Map<string, Origin>();

  /** Throws MeshError INVALID_REQUEST where the text is no http or https origin. */
  get(origin: string | URL | undefined, snapshot: Snapshot): Origin {
    const text = typeof origin === 'string' ? origin : originText(origin);
    let entry = this.#origins.get(text);
    if (entry === undefined) {
      entry = parseOrigin(text);
      if (this.#origins.size < MAX_ORIGINS) this.#origins.set(text, entry);
    }
    if (entry.snapshot !== snapshot) entry.adopt(snapshot);
    return entry;
  }

  /** Forgets what was looked up, so that a snapshot that was replaced can be freed. */
  forgetSnapshots(): void {
    for (const entry of this.#origins.values()) entry.adopt(undefined);
  }
}

function originText(origin: URL | undefined): string {
  if (origin === undefined) throw new MeshError('INVALID_REQUEST', 'the call names no origin');
  return origin.origin === 'null' ? origin.href : origin.origin;
}

function parseOrigin(text: string): Origin {
  let url: URL;
  try {
    url = new URL(text);
  } catch (cause) {
    throw new MeshError('INVALID_REQUEST', `${JSON.stringify(text.slice(0, 200))} is no origin`, { cause });
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw new MeshError('INVALID_REQUEST', `the mesh calls http:// and https:// origins, not ${url.protocol}//`);
  const scheme = url.protocol === 'http:' ? 'http' : 'https';
  const host = url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname;
  const port = url.port === '' ? (scheme === 'http' ? 80 : 443) : Number(url.port);
  return new Origin(scheme, host, port, url.host);
}
