// Origins that calls name, parsed once, each with the listener that the present snapshot has for it.
import { MeshError } from '../errors.js';
import type { OutboundListener } from '../snapshot/route-snapshot.js';
import type { Snapshot } from '../snapshot/snapshot.js';

export interface Origin {
  readonly scheme: 'http' | 'https';
  /** Lower case, IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  /** As the Host header has it: lower case, the scheme's default port left out. */
  readonly authority: string;
  /** The snapshot that `listener` is of. */
  snapshot: Snapshot | undefined;
  listener: OutboundListener | undefined;
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
    if (entry.snapshot !== snapshot) {
      entry.snapshot = snapshot;
      entry.listener = snapshot.outboundListener(entry.host, entry.port);
    }
    return entry;
  }

  /** Forgets listeners, so that a snapshot that was replaced can be freed. */
  forgetSnapshots(): void {
    for (const entry of this.#origins.values()) {
      entry.snapshot = undefined;
      entry.listener = undefined;
    }
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
  return { scheme, host, port, authority: url.host, snapshot: undefined, listener: undefined };
}
