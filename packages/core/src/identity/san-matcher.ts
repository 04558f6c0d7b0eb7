// Matching of subject alternative names: exact, prefix, suffix, contains or whole-match regex, optionally for one SAN type only.

export interface SanMatcher {
  /** `uri`, `dns`, `email`, `ip`, or `any` for the untyped legacy matcher. */
  readonly type: 'uri' | 'dns' | 'email' | 'ip' | 'any';
  matches(san: string): boolean;
  /** For messages: `exact spiffe://cluster.local/ns/default/sa/reviews`. */
  readonly text: string;
}
