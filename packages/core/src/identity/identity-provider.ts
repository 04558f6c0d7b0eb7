// Identities: this workload's certificate and key, the trust bundles, and where they come from.

/** An X.509-SVID with its key. Never logged; `status` shows the id and the times only. */
export interface Svid {
  /** `spiffe://TRUST-DOMAIN/ns/NAMESPACE/sa/ACCOUNT`. */
  readonly spiffeId: string;
  readonly trustDomain: string;
  /** Leaf first, then intermediates, PEM. */
  readonly certificateChainPem: string;
  readonly privateKeyPem: string;
  readonly notBeforeWallMs: number;
  readonly notAfterWallMs: number;
  /** Hex SHA-256 of the leaf; distinguishes rotations. */
  readonly fingerprint: string;
}

/** Roots by trust domain: an identity is verified by the bundle of its own domain only. */
export interface TrustBundles {
  readonly byDomain: ReadonlyMap<string, readonly string[]>;
  /** Changes when any root changes. */
  readonly version: string;
}

/** One immutable state of identity. `svid` is undefined until the first certificate arrived, or after it expired without renewal. */
export interface IdentityState {
  readonly svid: Svid | undefined;
  readonly bundles: TrustBundles;
  /** Grows with every change. */
  readonly generation: number;
}

export interface IdentitySink {
  onState(state: { readonly svid: Svid | undefined; readonly bundles: TrustBundles }): void;
  /** A failed fetch or renewal: what was delivered stays in use until it expires. */
  onFailure(reason: string, retryInMs: number): void;
}

export interface IdentityConnection {
  close(): void;
}

/** `files`, `heddle-ca`, `istio-ca`, `workload-api`, `none`. */
export interface IdentityProvider {
  readonly name: string;
  open(sink: IdentitySink): IdentityConnection;
}

/** Who is at the other end of a connection, proven by its certificate. Computed once per connection. */
export interface PeerIdentity {
  readonly spiffeId: string;
  readonly trustDomain: string;
  /** From Istio-shaped ids (`/ns/NAMESPACE/sa/ACCOUNT`); undefined for other shapes. */
  readonly namespace: string | undefined;
  readonly serviceAccount: string | undefined;
  /** Certificate facts for x-forwarded-client-cert. */
  readonly certificateSha256: string;
  readonly subject: string;
  readonly dnsNames: readonly string[];
}

export type PeerVerdict =
  | { readonly ok: true; readonly peer: PeerIdentity }
  /** `anonymous`: no certificate was presented at all, which is fine where none is required; nothing is proven then either. */
  | { readonly ok: false; readonly reason: string; readonly anonymous?: true };
