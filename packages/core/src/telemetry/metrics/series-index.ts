// Finds the series of a call by the fields that its labels depend on, without building a key: a chained table over a cheap hash, verified field by
// field (equal strings are mostly the same object, so a comparison is a pointer's). A cache of the series table, emptied when it grows too large.
import type { CallRecord } from '../call-record.js';
import type { CallSeries } from './call-series.js';
import type { Peer } from './peer-metadata.js';

const SLOTS = 1024;

interface Entry {
  readonly reporter: 'source' | 'destination';
  readonly protocol: 'http' | 'grpc' | 'tcp';
  readonly status: number;
  readonly grpcStatus: number;
  readonly flags: string;
  readonly cluster: string;
  readonly authority: string;
  readonly destinationHost: string;
  readonly destinationName: string;
  readonly destinationNamespace: string;
  readonly destinationWorkload: string;
  readonly peerPrincipal: string;
  readonly mutualTls: boolean;
  readonly peer: Peer;
  readonly ownPrincipal: string;
  readonly series: CallSeries;
  readonly next: Entry | undefined;
}

export class SeriesIndex {
  readonly #slots = new Array<Entry | undefined>(SLOTS).fill(undefined);
  readonly #maxEntries: number;
  #size = 0;

  constructor(maxEntries: number) {
    this.#maxEntries = maxEntries;
  }

  find(call: CallRecord, ownPrincipal: string): CallSeries | undefined {
    let entry = this.#slots[slotOf(call)];
    while (entry !== undefined) {
      if (matches(entry, call, ownPrincipal)) return entry.series;
      entry = entry.next;
    }
    return undefined;
  }

  /** Remembers the series of a call whose metadata header is that of `peer`. */
  add(call: CallRecord, peer: Peer, ownPrincipal: string, series: CallSeries): void {
    // A header that was not read (too long) has no peer of its own and would never match.
    if (peer.header !== call.peerMetadata) return;
    if (this.#size >= this.#maxEntries) this.clear();
    const slot = slotOf(call);
    const { reporter, protocol, status, grpcStatus, flags, cluster, authority, mutualTls, peerPrincipal } = call;
    const { destinationHost, destinationName, destinationNamespace, destinationWorkload } = call;
    this.#slots[slot] = {
      reporter,
      protocol,
      status,
      grpcStatus,
      flags,
      cluster,
      authority,
      destinationHost,
      destinationName,
      destinationNamespace,
      destinationWorkload,
      peerPrincipal,
      mutualTls,
      peer,
      ownPrincipal,
      series,
      next: this.#slots[slot],
    };
    this.#size++;
  }

  clear(): void {
    this.#slots.fill(undefined);
    this.#size = 0;
  }
}

function matches(entry: Entry, call: CallRecord, ownPrincipal: string): boolean {
  return (
    entry.status === call.status &&
    entry.reporter === call.reporter &&
    entry.cluster === call.cluster &&
    entry.destinationWorkload === call.destinationWorkload &&
    entry.peerPrincipal === call.peerPrincipal &&
    entry.flags === call.flags &&
    entry.grpcStatus === call.grpcStatus &&
    entry.protocol === call.protocol &&
    entry.mutualTls === call.mutualTls &&
    entry.destinationHost === call.destinationHost &&
    // The Host header stands for the destination of an outbound call where no service does.
    (entry.destinationHost !== '' || entry.reporter === 'destination' || entry.authority === call.authority) &&
    entry.destinationName === call.destinationName &&
    entry.destinationNamespace === call.destinationNamespace &&
    entry.ownPrincipal === ownPrincipal &&
    entry.peer.header === call.peerMetadata
  );
}

function slotOf(call: CallRecord): number {
  let hash = call.status | (call.reporter === 'source' ? 0x10000 : 0);
  hash = mix(hash, call.cluster);
  hash = mix(hash, call.destinationHost === '' && call.reporter === 'source' ? call.authority : call.destinationHost);
  hash = mix(hash, call.destinationWorkload);
  hash = mix(hash, call.peerPrincipal);
  hash = Math.imul(hash ^ call.peerMetadata.length ^ (call.flags.length << 12), 0x9e3779b1);
  return (hash ^ (hash >>> 16)) & (SLOTS - 1);
}

/** Length and three characters tell names of one mesh apart well enough; a full hash would cost more than the rest. */
function mix(hash: number, text: string): number {
  const length = text.length;
  if (length === 0) return hash;
  const middle = text.charCodeAt(length >> 1) << 8;
  const third = text.charCodeAt((length / 3) | 0) << 16;
  return Math.imul(hash ^ length ^ middle ^ third ^ (text.charCodeAt(length - 1) << 4), 0x85ebca6b);
}
