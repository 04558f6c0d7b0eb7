// Envoy's token bucket: it fills continuously and holds only the time at which it would have been empty (Envoy: AtomicTokenBucketImpl).

export class TokenBucket {
  readonly maxTokens: number;
  readonly #tokensPerMs: number;
  /** Time at which the bucket was (or will be) empty; everything since then has become tokens. */
  #emptyAtMs: number;

  /** Starts full at `nowMs`. */
  constructor(maxTokens: number, tokensPerMs: number, nowMs: number) {
    this.maxTokens = maxTokens;
    this.#tokensPerMs = tokensPerMs;
    this.#emptyAtMs = nowMs - maxTokens / tokensPerMs;
  }

  /** Takes `tokens` and returns how many were granted: all or 0, with `allowPartial` what there is (whole tokens). */
  consume(tokens: number, nowMs: number, allowPartial = false): number {
    const available = this.available(nowMs);
    const granted = available >= tokens ? tokens : allowPartial ? Math.floor(available) : 0;
    if (granted === 0) return 0;
    this.#emptyAtMs = nowMs - (available - granted) / this.#tokensPerMs;
    return granted;
  }

  /** Tokens there are now, fractions included. */
  available(nowMs: number): number {
    const filled = (nowMs - this.#emptyAtMs) * this.#tokensPerMs;
    // 1e-9: a token that time has filled exactly must not be lost to rounding.
    return Math.min(this.maxTokens, Math.max(0, filled) + 1e-9);
  }

  /** Whole milliseconds until the next token is there, 0 when there is one; rounded up. */
  nextTokenInMs(nowMs: number): number {
    const available = this.available(nowMs);
    return available >= 1 ? 0 : Math.ceil((1 - available) / this.#tokensPerMs - 1e-6);
  }
}
