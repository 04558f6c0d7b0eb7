// Where a route table comes from: a decoded message (inline in a listener), or the bytes of a RouteConfiguration, of which only the frame is read. istiod
// puts every service of a port into one RouteConfiguration: decoding 1,000 virtual hosts at once would stall the process for 40 ms, splitting takes 1 ms.
import {
  type RawResource,
  type RouteConfiguration,
  RouteConfigurationSchema,
  type VirtualHost,
  VirtualHostSchema,
  fromBinary,
  isMessage,
} from '@heddle/xds';
import { LENGTH_DELIMITED, WireFields } from '../resource/wire-fields.js';

/** One virtual host, decoded when it is needed. */
export interface HostSource {
  readonly name: string;
  domains(): readonly string[];
  decode(): VirtualHost;
  /** True when the other is known to be the same, byte for byte. */
  equals(other: HostSource): boolean;
}

export interface TableSource {
  /** Everything but the virtual hosts. */
  readonly frame: RouteConfiguration;
  /** The frame's bytes; undefined for a decoded message. */
  readonly frameBytes: Uint8Array | undefined;
  readonly hosts: readonly HostSource[];
}

/** RouteConfiguration.virtual_hosts, VirtualHost.name and VirtualHost.domains. */
const VIRTUAL_HOSTS = 2;
const HOST_NAME = 1;
const HOST_DOMAINS = 2;

/** The source of a message that is decoded already. */
export function decodedSource(message: RouteConfiguration): TableSource {
  const hosts = message.virtualHosts.map((host) => ({
    name: host.name,
    domains: () => host.domains,
    decode: () => host,
    equals: () => false,
  }));
  return { frame: message, frameBytes: undefined, hosts };
}

/** Splits the bytes of a RouteConfiguration; its parts are not decoded where the feed gave the message. Throws when the bytes are none. */
export function wireSource({ bytes, message }: Pick<RawResource, 'bytes' | 'message'>): TableSource {
  const decoded = isMessage(message, RouteConfigurationSchema) ? message : undefined;
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const hosts: HostSource[] = [];
  const frame: Uint8Array[] = [];
  const fields = new WireFields(buffer);
  while (fields.next()) {
    if (fields.number === VIRTUAL_HOSTS && fields.wireType === LENGTH_DELIMITED)
      hosts.push(new WireHost(buffer, fields.valueAt, fields.endAt, decoded?.virtualHosts[hosts.length]));
    else frame.push(buffer.subarray(fields.tagAt, fields.endAt));
  }
  const frameBytes = Buffer.concat(frame);
  return { frame: decoded ?? fromBinary(RouteConfigurationSchema, frameBytes), frameBytes, hosts };
}

/** True when everything but the virtual hosts is known to be the same. */
export function sameFrame(a: TableSource, b: TableSource): boolean {
  return a.frameBytes !== undefined && b.frameBytes !== undefined && Buffer.compare(a.frameBytes, b.frameBytes) === 0;
}

class WireHost implements HostSource {
  readonly name: string;

  constructor(
    private readonly bytes: Buffer,
    private readonly start: number,
    private readonly end: number,
    private readonly decoded: VirtualHost | undefined,
  ) {
    // A field that comes twice: the last one counts, as when decoding.
    this.name = this.#texts(HOST_NAME).at(-1) ?? '';
  }

  domains(): readonly string[] {
    return this.#texts(HOST_DOMAINS);
  }

  decode(): VirtualHost {
    return this.decoded ?? fromBinary(VirtualHostSchema, this.bytes.subarray(this.start, this.end));
  }

  equals(other: HostSource): boolean {
    if (!(other instanceof WireHost)) return false;
    return this.bytes.compare(other.bytes, other.start, other.end, this.start, this.end) === 0;
  }

  #texts(field: number): string[] {
    const texts: string[] = [];
    const fields = new WireFields(this.bytes, this.start, this.end);
    while (fields.next())
      if (fields.number === field && fields.wireType === LENGTH_DELIMITED)
        texts.push(this.bytes.toString('utf8', fields.valueAt, fields.endAt));
    return texts;
  }
}
