// What this workload is, right now: immutable states, replaced on rotation, and the watch over the certificate's life.
import type { Clock, Timer } from '../clock.js';
import type { Draws } from '../draws.js';
import { MeshError } from '../errors.js';
import type { IdentityConnection, IdentityProvider, IdentityState, Svid, TrustBundles } from './identity-provider.js';
import { readSvid } from './svid.js';
import { emptyBundles } from './trust-bundles.js';

/** What happens to the identity, for logs, metrics and status. */
export type IdentityEvent =
  | {
      readonly kind: 'rotated';
      readonly spiffeId: string;
      readonly notAfterWallMs: number;
      readonly fingerprint: string;
    }
  | { readonly kind: 'bundles-changed'; readonly trustDomains: readonly string[] }
  /** A delivery that is no usable pair: what was there before stays. */
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'failed'; readonly reason: string; readonly retryInMs: number }
  /** Renewal is late: this much of the certificate's life is left (50, 20 or 5). */
  | { readonly kind: 'expiring'; readonly remainingPercent: number; readonly notAfterWallMs: number }
  | { readonly kind: 'expired'; readonly spiffeId: string };

export interface IdentityStoreOptions {
  readonly provider: IdentityProvider;
  readonly clock: Clock;
  readonly draws?: Draws;
  readonly onEvent?: (event: IdentityEvent) => void;
}

const alarmsAtPercent = [50, 20, 5] as const;
/** Timers run on the monotonic clock, certificates on the wall clock: look again at least this often, so that a clock step or a suspended machine is noticed. */
const longestWatchMs = 60_000;

export class IdentityStore {
  readonly #options: IdentityStoreOptions;
  readonly #listeners = new Set<() => void>();
  readonly #connection: IdentityConnection;
  #state: IdentityState = { svid: undefined, bundles: emptyBundles, generation: 0 };
  /** `waiting`: nothing delivered, or the certificate expired; `settled`: the provider has given what it has. */
  #phase: 'waiting' | 'settled' | 'closed' = 'waiting';
  #lastFailure = 'nothing was delivered yet';
  #alarmsRaised = 0;
  #watch: Timer | undefined;

  /** Opens the provider at once. */
  constructor(options: IdentityStoreOptions) {
    this.#options = options;
    this.#connection = options.provider.open({
      onState: (delivered) => this.#deliver(delivered.svid, delivered.bundles),
      onFailure: (reason, retryInMs) => {
        this.#lastFailure = reason;
        this.#emit({ kind: 'failed', reason, retryInMs });
      },
    });
  }

  /** The present state. An expired certificate is never in it, even right after the machine slept. */
  state(): IdentityState {
    this.#dropExpired();
    return this.#state;
  }

  /** Resolves when the provider has delivered (for the provider `none`: at once). Rejects with MeshError IDENTITY_UNAVAILABLE after `timeoutMs`, with CLOSED when closed. */
  ready(timeoutMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = this.#options.clock.after(timeoutMs, () => {
        stop();
        const message = `no identity from ${this.#options.provider.name} within ${timeoutMs} ms: ${this.#lastFailure}`;
        reject(new MeshError('IDENTITY_UNAVAILABLE', message));
      });
      const settle = (): void => {
        if (this.#phase === 'waiting') return;
        stop();
        timer.cancel();
        if (this.#phase === 'closed') reject(new MeshError('CLOSED', 'the identity store was closed'));
        else resolve();
      };
      const stop = this.onChange(settle);
      settle();
    });
  }

  /** Calls back after every change of state; returns the unsubscribe function. */
  onChange(listener: () => void): () => void {
    const entry = () => listener();
    this.#listeners.add(entry);
    return () => this.#listeners.delete(entry);
  }

  close(): void {
    if (this.#phase === 'closed') return;
    this.#phase = 'closed';
    this.#watch?.cancel();
    this.#connection.close();
    this.#notify();
    this.#listeners.clear();
  }

  #deliver(svid: Svid | undefined, bundles: TrustBundles): void {
    if (this.#phase === 'closed') return;
    const reason = svid && this.#refusal(svid);
    if (reason !== undefined) {
      this.#lastFailure = reason;
      this.#emit({ kind: 'refused', reason });
      return;
    }
    this.#phase = 'settled';
    const before = this.#state;
    const rotated = svid?.fingerprint !== before.svid?.fingerprint;
    const bundlesChanged = bundles.version !== before.bundles.version;
    if (rotated) this.#alarmsRaised = 0;
    if (rotated || bundlesChanged) this.#state = { svid, bundles, generation: before.generation + 1 };
    if (bundlesChanged) this.#emit({ kind: 'bundles-changed', trustDomains: [...bundles.byDomain.keys()] });
    if (rotated && svid) {
      const { spiffeId, notAfterWallMs, fingerprint } = svid;
      this.#emit({ kind: 'rotated', spiffeId, notAfterWallMs, fingerprint });
    }
    this.#watchExpiry();
    this.#notify();
  }

  /** Checked here once for all providers: a pair that does not fit, or one that is over, must not replace a good one. */
  #refusal(svid: Svid): string | undefined {
    const read = readSvid(svid.certificateChainPem, svid.privateKeyPem);
    if (!read.ok) return read.reason;
    if (read.svid.spiffeId !== svid.spiffeId)
      return `the certificate is for ${read.svid.spiffeId}, not for ${svid.spiffeId}`;
    return this.#options.clock.wallMs() > read.svid.notAfterWallMs ? 'the certificate has expired' : undefined;
  }

  #watchExpiry(): void {
    this.#watch?.cancel();
    this.#watch = undefined;
    const { svid } = this.#state;
    if (svid === undefined || this.#phase === 'closed') return;
    const nextPercent = alarmsAtPercent[this.#alarmsRaised] ?? 0;
    const lifeMs = svid.notAfterWallMs - svid.notBeforeWallMs;
    // One millisecond past the moment, since a certificate is still valid at its notAfter.
    const dueMs = svid.notAfterWallMs - (lifeMs * nextPercent) / 100 + 1 - this.#options.clock.wallMs();
    this.#watch = this.#options.clock.after(Math.max(0, Math.min(dueMs, longestWatchMs)), () => {
      this.#raiseAlarms();
      this.#dropExpired();
      this.#watchExpiry();
    });
  }

  #raiseAlarms(): void {
    const { svid } = this.#state;
    if (svid === undefined) return;
    const leftMs = svid.notAfterWallMs - this.#options.clock.wallMs();
    const leftPercent = (leftMs / (svid.notAfterWallMs - svid.notBeforeWallMs)) * 100;
    const due = alarmsAtPercent.filter((percent) => leftPercent <= percent).length;
    if (due <= this.#alarmsRaised || leftMs < 0) return;
    this.#alarmsRaised = due;
    const remainingPercent = alarmsAtPercent[due - 1] ?? 0;
    this.#emit({ kind: 'expiring', remainingPercent, notAfterWallMs: svid.notAfterWallMs });
  }

  #dropExpired(): void {
    const { svid, bundles, generation } = this.#state;
    if (svid === undefined || this.#options.clock.wallMs() <= svid.notAfterWallMs) return;
    this.#state = { svid: undefined, bundles, generation: generation + 1 };
    if (this.#phase === 'settled') this.#phase = 'waiting';
    this.#lastFailure = `the certificate of ${svid.spiffeId} expired without renewal`;
    this.#emit({ kind: 'expired', spiffeId: svid.spiffeId });
    this.#notify();
  }

  #emit(event: IdentityEvent): void {
    this.#options.onEvent?.(event);
  }

  #notify(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}
