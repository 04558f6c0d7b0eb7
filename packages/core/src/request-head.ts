// What matchers, routes and filters read of a request.

/** The head of a request as matchers see it. One shape for HTTP/1.1, HTTP/2 and gRPC, outbound and inbound. */
export interface RequestHead {
  readonly method: string;
  /** Path with query, byte for byte as sent (`:path`). */
  readonly path: string;
  /** Host with port as in `:authority`, lower case. */
  readonly authority: string;
  readonly scheme: string;
  /**
   * Value of a header by its lower-case name; several values joined by `,` (RFC 9110 §5.3); undefined when absent. Pseudo headers
   * (`:method`, `:path`, `:authority`, `:scheme`) are answered too.
   */
  header(name: string): string | undefined;
  /** The values of a header that came more than once, each by itself; a head without this method has them joined. */
  values?(name: string): readonly string[];
}
