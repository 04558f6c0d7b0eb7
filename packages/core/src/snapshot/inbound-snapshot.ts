// Compiled `virtualInbound`: filter chains by port, transport, ALPN, SNI and source, each with its HTTP or network filters in order.
import type { HttpFilter } from '../filters/http-filter.js';
import type { NetworkFilter } from '../filters/network-filter.js';
import type { SanMatcher } from '../identity/san-matcher.js';
import type { RequestHead } from '../request-head.js';

/** What is known of a connection before its first request. */
export interface ConnectionFacts {
  /** The port that the application listens on (the destination port of the filter-chain match). */
  readonly destinationPort: number;
  readonly destinationIp: string;
  readonly sourceIp: string;
  readonly sourcePort: number;
  /** From the first byte: TLS handshake record or not (Envoy: tls_inspector). */
  readonly transport: 'tls' | 'raw_buffer';
  /** SNI, lower case; empty without TLS. */
  readonly serverName: string;
  /** ALPN names that the client offers, or `http/1.1` / `h2c` detected for plain text (Envoy: http_inspector). */
  readonly applicationProtocols: readonly string[];
}

export interface InboundSnapshot {
  readonly version: string;
  /** The filter chain by Envoy's match order (port, IP, SNI, transport, ALPN, source type, source IP, source port); undefined: the connection is closed. */
  chainFor(facts: ConnectionFacts): FilterChainSnapshot | undefined;
  /**
   * What a port accepts as a whole, for the first byte and the TLS context: `tls` and `plain` say whether any chain takes such connections at all.
   */
  portMode(port: number): PortMode;
  readonly chains: readonly FilterChainSnapshot[];
}

export interface PortMode {
  readonly tls: boolean;
  readonly plain: boolean;
  /** The TLS contexts of the chains of this port; the first is offered when SNI and ALPN do not tell more. */
  readonly contexts: readonly DownstreamTls[];
}

export interface FilterChainSnapshot {
  readonly name: string;
  /** Undefined: plain text. */
  readonly tls: DownstreamTls | undefined;
  readonly networkFilters: readonly NetworkFilter[];
  /** `http`: parse requests and run `filters` in order, then the routes' overrides. `tcp`: bytes go to the application as they are. */
  readonly handler: { readonly kind: 'http'; readonly http: InboundHttp } | { readonly kind: 'tcp' };
}

export interface InboundHttp {
  readonly statPrefix: string;
  /** Filters of the listener in the order that the configuration lists (router excluded). */
  readonly filters: readonly HttpFilter[];
  /** The same chain with the overrides of the route that takes this request; undefined = no route (404). */
  filtersFor(head: RequestHead): InboundRoute | undefined;
  /** Path normalisation and header hygiene as the connection manager asks for. */
  readonly normalizePath: boolean;
  readonly mergeSlashes: boolean;
  readonly escapedSlashes: 'keep' | 'reject' | 'unescape-redirect' | 'unescape-forward';
  readonly forwardClientCert: 'sanitize' | 'forward-only' | 'append-forward' | 'sanitize-set' | 'always-forward-only';
  /** Undefined: as istiod sends it to sidecars (x-forwarded-for stays as it came). */
  readonly remoteAddress?: RemoteAddressRules | undefined;
  /** Undefined: the host stays as it came. */
  readonly host?: HostRules | undefined;
}

export interface InboundRoute {
  readonly routeName: string;
  readonly filters: readonly HttpFilter[];
  readonly timeoutMs: number;
  /** Cluster of the application (`inbound|9080||`), whose metadata names the service; undefined where the route does not forward. */
  readonly cluster?: string | undefined;
}

/** Envoy: use_remote_address, xff_num_trusted_hops, skip_xff_append. */
export interface RemoteAddressRules {
  readonly useRemoteAddress: boolean;
  readonly trustedHops: number;
  readonly skipAppend: boolean;
}

/** Envoy: strip_matching_host_port, strip_any_host_port, strip_trailing_host_dot. */
export interface HostRules {
  readonly stripPort: 'none' | 'matching' | 'any';
  readonly stripTrailingDot: boolean;
}

export interface DownstreamTls {
  readonly requireClientCertificate: boolean;
  readonly certificateSource:
    { readonly kind: 'identity' } | { readonly kind: 'files'; readonly certificate: string; readonly key: string };
  readonly alpnProtocols: readonly string[];
  /** Any one must match a SAN of the client; empty = any identity of a trusted domain. */
  readonly sans: readonly SanMatcher[];
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3' | undefined;
  readonly maxVersion: 'TLSv1.2' | 'TLSv1.3' | undefined;
  readonly ciphers: readonly string[];
  readonly key: string;
}
