// TLS contexts for both edges, from the identity's present state: built once per policy and generation, dropped when the generation ends.
import { statSync, readFileSync } from 'node:fs';
import { constants } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import type { ConnectionOptions, SecureContext, SecureContextOptions, TLSSocket } from 'node:tls';
import type { Clock } from '../clock.js';
import { MeshError } from '../errors.js';
import type { DownstreamTls } from '../snapshot/inbound-snapshot.js';
import type { UpstreamTls } from '../snapshot/cluster-snapshot.js';
import type { DownstreamSecurity, UpstreamSecurity } from './connection-security.js';
import type { IdentityState, PeerVerdict, TrustBundles } from './identity-provider.js';
import type { IdentityStore } from './identity-store.js';
import { externalVerdict, spiffeVerdict } from './peer-identity.js';
import { presentedChain } from './presented-chain.js';
import { parseTrustRoots } from './trust-bundles.js';
import type { TrustRoots } from './trust-bundles.js';

type Memo<Value> = Map<string, { readonly stamp: string; readonly value: Value }>;

/** `clock` tells the wall time at which peers' certificates must be valid. */
export function createTlsContexts(store: IdentityStore, clock: Clock): UpstreamSecurity & DownstreamSecurity {
  return new TlsContexts(store, clock);
}

class TlsContexts implements UpstreamSecurity, DownstreamSecurity {
  readonly #store: IdentityStore;
  readonly #clock: Clock;
  readonly #clients: Memo<SecureContext> = new Map();
  readonly #servers: Memo<SecureContextOptions> = new Map();
  #memoGeneration = -1;
  #bundles: TrustBundles | undefined;
  #roots: TrustRoots = { byDomain: new Map(), allPem: [] };

  constructor(store: IdentityStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  get generation(): number {
    return this.#store.state().generation;
  }

  onChange(listener: () => void): () => void {
    return this.#store.onChange(listener);
  }

  connectOptions(tls: UpstreamTls): ConnectionOptions {
    const state = this.#current();
    const stamp = filesStamp(tls);
    const secureContext = memoised(this.#clients, tls.key, stamp, () =>
      createSecureContext(clientContext(tls, state, this.#roots)),
    );
    const servername = safeServerName(tls.serverName);
    return {
      secureContext,
      rejectUnauthorized: true,
      // Names are checked by verifyServer, on the certificate's DER and after resumed handshakes too (CVE-2026-48934).
      checkServerIdentity: () => undefined,
      ...(servername === undefined ? {} : { servername }),
      ...(tls.alpnProtocols.length === 0 ? {} : { ALPNProtocols: [...tls.alpnProtocols] }),
    };
  }

  serverOptions(tls: DownstreamTls): SecureContextOptions {
    const state = this.#current();
    return memoised(this.#servers, tls.key, filesStamp(tls), () => serverContext(tls, state, this.#roots));
  }

  verifyServer(socket: TLSSocket, tls: UpstreamTls): PeerVerdict {
    return this.#verify(socket, (chain) =>
      tls.rootSource.kind === 'identity'
        ? spiffeVerdict(chain, this.#roots, tls.sans, this.#clock.wallMs())
        : externalVerdict(chain, tls.sans, this.#clock.wallMs()),
    );
  }

  verifyClient(socket: TLSSocket, tls: DownstreamTls): PeerVerdict {
    return this.#verify(socket, (chain) => spiffeVerdict(chain, this.#roots, tls.sans, this.#clock.wallMs()));
  }

  /** `authorized` alone proves nothing (a resumed session without a certificate has it too); without it nothing is proven either. */
  #verify(socket: TLSSocket, decide: (chain: readonly Uint8Array[]) => PeerVerdict): PeerVerdict {
    try {
      this.#current();
      const chain = presentedChain(socket);
      if (chain.length === 0) return { ok: false, reason: 'the peer presented no certificate', anonymous: true };
      if (!socket.authorized)
        return { ok: false, reason: `the TLS handshake did not verify the peer: ${authorizationText(socket)}` };
      return decide(chain);
    } catch (error) {
      return {
        ok: false,
        reason: `the peer could not be verified: ${error instanceof Error ? error.message : String(error)}`,
      };
    }
  }

  /** The state that contexts are built from; contexts of earlier generations go. */
  #current(): IdentityState {
    const state = this.#store.state();
    if (state.generation !== this.#memoGeneration) {
      this.#memoGeneration = state.generation;
      this.#clients.clear();
      this.#servers.clear();
    }
    if (state.bundles !== this.#bundles) {
      this.#bundles = state.bundles;
      this.#roots = parseTrustRoots(state.bundles);
    }
    return state;
  }
}

function memoised<Value>(memo: Memo<Value>, key: string, stamp: string, build: () => Value): Value {
  const known = memo.get(key);
  if (known?.stamp === stamp) return known.value;
  const value = build();
  memo.set(key, { stamp, value });
  return value;
}

function clientContext(tls: UpstreamTls, state: IdentityState, roots: TrustRoots): SecureContextOptions {
  return {
    ...(tls.presentsCertificate ? ownCertificate(tls.certificateSource, state) : {}),
    ...rootsOf(tls, roots),
    ...protocolOptions(tls),
  };
}

function serverContext(tls: DownstreamTls, state: IdentityState, roots: TrustRoots): SecureContextOptions {
  return {
    ...ownCertificate(tls.certificateSource, state),
    ca: [...roots.allPem],
    ...protocolOptions(tls),
    // No session tickets: a resumed session would carry an identity that was proven under older policy or bundles (CVE-2022-21654).
    secureOptions: constants.SSL_OP_NO_TICKET,
  };
}

function protocolOptions(tls: UpstreamTls | DownstreamTls): SecureContextOptions {
  return {
    minVersion: tls.minVersion ?? 'TLSv1.2',
    ...(tls.maxVersion === undefined ? {} : { maxVersion: tls.maxVersion }),
    // TLS 1.3 suites are named apart in OpenSSL: an own list is for 1.2 and must not switch 1.3 off.
    ...(tls.ciphers.length === 0 ? {} : { ciphers: [...tls13Suites, ...tls.ciphers].join(':') }),
  };
}

const tls13Suites = ['TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256', 'TLS_AES_128_GCM_SHA256'];

function ownCertificate(source: UpstreamTls['certificateSource'], { svid }: IdentityState): SecureContextOptions {
  switch (source.kind) {
    case 'files':
      return { cert: readPem(source.certificate), key: readPem(source.key) };
    case 'identity':
      if (svid === undefined)
        throw new MeshError(
          'IDENTITY_UNAVAILABLE',
          'mutual TLS is required and this workload has no valid certificate',
        );
      return { cert: svid.certificateChainPem, key: svid.privateKeyPem };
  }
}

function rootsOf(tls: UpstreamTls, roots: TrustRoots): SecureContextOptions {
  switch (tls.rootSource.kind) {
    case 'identity':
      if (roots.allPem.length === 0)
        throw new MeshError('IDENTITY_UNAVAILABLE', 'this workload has no trust bundle to verify the peer with');
      return { ca: [...roots.allPem] };
    case 'file':
      return { ca: readPem(tls.rootSource.path) };
    case 'system':
      // Node's own default, NODE_EXTRA_CA_CERTS included.
      return {};
  }
}

function readPem(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new MeshError('IDENTITY_UNAVAILABLE', `cannot read ${path}`, { resource: path, cause });
  }
}

/** Changes when a file that the policy names was replaced, so that its context is built anew. Empty without files. */
function filesStamp(tls: UpstreamTls | DownstreamTls): string {
  const paths =
    tls.certificateSource.kind === 'files' ? [tls.certificateSource.certificate, tls.certificateSource.key] : [];
  if ('rootSource' in tls && tls.rootSource.kind === 'file') paths.push(tls.rootSource.path);
  return paths.map((path) => fileStamp(path)).join();
}

function fileStamp(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat === undefined ? 'absent' : `${stat.ino}/${stat.size}/${stat.mtimeMs}`;
}

/** Lower case, without control bytes or NUL (CVE-2026-48928, -48930); anything else is not sent as SNI. */
function safeServerName(name: string | undefined): string | undefined {
  const lower = name?.toLowerCase();
  return lower !== undefined && /^[\x21-\x7e]{1,255}$/.test(lower) ? lower : undefined;
}

function authorizationText(socket: TLSSocket): string {
  // Typed as Error by Node, a code in practice.
  const reason: unknown = socket.authorizationError;
  return reason instanceof Error ? reason.message : typeof reason === 'string' ? reason : 'unauthorized';
}
