// Certificates from a CA that speaks Istio's certificate service: `heddle-ca` (the dev CA of the feed) and `istio-ca` (istiod). Renewed
// before half of their life; through an outage of the CA the present certificate serves until it ends.
import { readFile } from 'node:fs/promises';
import type { Clock, Timer } from '../../clock.js';
import type { Draws } from '../../draws.js';
import { MeshError } from '../../errors.js';
import type { IdentityConnection, IdentityProvider, IdentitySink, Svid, TrustBundles } from '../identity-provider.js';
import { istioSpiffeId, parseSpiffeId } from '../spiffe-id.js';
import { readSvid } from '../svid.js';
import { trustBundles } from '../trust-bundles.js';
import { createSigningRequest } from '../x509/csr.js';
import { splitCertificates } from '../x509/pem.js';
import { createCertificate } from './ca-client.js';
import type { CancellableCall } from './ca-client.js';

export interface CaProviderOptions {
  readonly kind: 'heddle-ca' | 'istio-ca';
  /** `host:port`. */
  readonly address: string;
  /** TLS to the CA. Default true for istio-ca, false for heddle-ca; plain text only to this host (127.0.0.0/8, ::1, localhost). */
  readonly tls?: boolean;
  /** Name that the CA's certificate must carry, where `address` is not that name; e.g. `istiod.istio-system.svc`. */
  readonly serverName?: string | undefined;
  readonly trustDomain: string;
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly clusterId: string;
  /** Read again for every request, since Kubernetes rotates it. Required for istio-ca; default token of heddle-ca: `NAMESPACE/SERVICEACCOUNT`. */
  readonly tokenFile?: string | undefined;
  /** Roots: of the CA's TLS and of the mesh. Read again for every request. Default: the system's, and the last certificate of the returned chain. */
  readonly rootCertFile?: string | undefined;
  /** Lifetime asked for; the CA may give less. Default 24 h. */
  readonly lifetimeMs?: number;
  readonly clock: Clock;
  readonly draws: Draws;
}

/** Throws MeshError CONFIG_INVALID when a token would go out in plain text, when istio-ca has no token file, or when the names make no SPIFFE id. */
export function createCaProvider(options: CaProviderOptions): IdentityProvider {
  const spiffeId = istioSpiffeId(options.trustDomain, options.namespace, options.serviceAccount);
  const id = parseSpiffeId(spiffeId);
  if (!id.ok) throw new MeshError('CONFIG_INVALID', `${spiffeId} is no SPIFFE id: ${id.reason}`);
  if (options.kind === 'istio-ca' && options.tokenFile === undefined)
    throw new MeshError('CONFIG_INVALID', 'identity istio-ca needs a token file (HEDDLE_TOKEN_FILE)');
  if (!usesTls(options) && !isLoopback(options.address))
    throw new MeshError(
      'CONFIG_INVALID',
      `the CA at ${options.address} is not on this host: its token and certificates need TLS`,
    );
  return { name: options.kind, open: (sink) => new CaConnection(options, spiffeId, sink) };
}

const usesTls = (options: CaProviderOptions): boolean => options.tls ?? options.kind === 'istio-ca';

function isLoopback(address: string): boolean {
  const host = address.replace(/:\d+$/, '');
  return /^(?:127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[?::1\]?|localhost)$/.test(host);
}

const defaultLifetimeMs = 24 * 3_600_000;
const firstRetryMs = 200;
const longestRetryMs = 30_000;
/** Timers run on the monotonic clock: a longer wait is cut, and the wall clock looked at again. */
const longestWaitMs = 60_000;

class CaConnection implements IdentityConnection {
  readonly #options: CaProviderOptions;
  readonly #spiffeId: string;
  readonly #sink: IdentitySink;
  /** Roots of chains, with the time until which they are trusted. */
  readonly #roots = new Map<string, number>();
  #failures = 0;
  #closed = false;
  #timer: Timer | undefined;
  #call: CancellableCall | undefined;

  constructor(options: CaProviderOptions, spiffeId: string, sink: IdentitySink) {
    this.#options = options;
    this.#spiffeId = spiffeId;
    this.#sink = sink;
    void this.#fetch();
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    this.#call?.cancel();
  }

  async #fetch(): Promise<void> {
    try {
      const { svid, bundles } = await this.#request();
      if (this.#closed) return;
      this.#failures = 0;
      this.#renewAt(this.#renewalWallMs(svid));
      this.#sink.onState({ svid, bundles });
    } catch (error) {
      if (this.#closed) return;
      const retryInMs = this.#retryInMs();
      this.#wait(retryInMs, () => void this.#fetch());
      this.#sink.onFailure(failureText(error), retryInMs);
    }
  }

  async #request(): Promise<{ svid: Svid; bundles: TrustBundles }> {
    const { address, namespace, serviceAccount, tokenFile, rootCertFile, serverName, clusterId, lifetimeMs } =
      this.#options;
    const token =
      tokenFile === undefined ? `${namespace}/${serviceAccount}` : (await readFile(tokenFile, 'utf8')).trim();
    const rootPem = rootCertFile === undefined ? undefined : await readFile(rootCertFile, 'utf8');
    const { csrPem, privateKeyPem } = createSigningRequest(this.#spiffeId);
    const tls = usesTls(this.#options) ? { rootPem, serverName } : undefined;
    this.#call = createCertificate({
      address,
      tls,
      token,
      clusterId,
      csrPem,
      lifetimeMs: lifetimeMs ?? defaultLifetimeMs,
    });
    const chain = splitCertificates((await this.#call.chain).join('\n'));
    const root = chain.at(-1);
    if (chain.length < 2 || root === undefined) throw new Error('the CA returned no chain of certificates');
    const read = readSvid(chain.slice(0, -1).join(''), privateKeyPem);
    if (!read.ok) throw new Error(`the CA returned an unusable certificate: ${read.reason}`);
    if (read.svid.spiffeId !== this.#spiffeId)
      throw new Error(`the CA returned a certificate for ${read.svid.spiffeId}, asked for was ${this.#spiffeId}`);
    return {
      svid: read.svid,
      bundles: trustBundles([[this.#options.trustDomain, rootPem ?? this.#rootsWith(root, read.svid)]]),
    };
  }

  /**
   * The root of the newest chain, and those before it while certificates under them may still be in use: peers renew at other times than we do, and a
   * CA that changed its root must not split the mesh. Each stays no longer than the last certificate that we had under it.
   */
  #rootsWith(root: string, svid: Svid): string {
    const nowWallMs = this.#options.clock.wallMs();
    for (const [known, untilWallMs] of this.#roots) if (untilWallMs < nowWallMs) this.#roots.delete(known);
    this.#roots.set(root, svid.notAfterWallMs);
    return [...this.#roots.keys()].join('');
  }

  /** Between 40 % and 50 % of the life, so that a fleet started together does not renew together. */
  #renewalWallMs({ notBeforeWallMs, notAfterWallMs }: Svid): number {
    const fraction = 0.4 + 0.1 * this.#options.draws('rotation-jitter');
    return notBeforeWallMs + (notAfterWallMs - notBeforeWallMs) * fraction;
  }

  #renewAt(dueWallMs: number): void {
    const leftMs = dueWallMs - this.#options.clock.wallMs();
    // A certificate already past its renewal time (a skewed clock) must not make a tight loop.
    if (leftMs <= longestWaitMs) this.#wait(Math.max(1000, leftMs), () => void this.#fetch());
    else this.#wait(longestWaitMs, () => this.#renewAt(dueWallMs));
  }

  /** Between half and all of a doubling span, so that a fleet does not come back at once. */
  #retryInMs(): number {
    const spanMs = Math.min(longestRetryMs, firstRetryMs * 2 ** Math.min(this.#failures++, 16));
    return Math.ceil(spanMs * (0.5 + 0.5 * this.#options.draws('reconnect-jitter')));
  }

  #wait(delayMs: number, then: () => void): void {
    this.#timer = this.#options.clock.after(delayMs, then);
  }
}

/** grpc-js puts its status into the message (`14 UNAVAILABLE: …`). No token or key is ever part of it. */
function failureText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
