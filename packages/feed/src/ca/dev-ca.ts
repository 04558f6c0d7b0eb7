// The development CA: one root a trust domain, short certificates for workloads on this host. For production use istiod's or SPIRE's.
import { readFile } from 'node:fs/promises';
import type { CallerClaims } from './caller-claims.js';
import { callerClaims } from './caller-claims.js';
import { certificateService } from './certificate-service.js';
import type { GrpcService } from './certificate-service.js';
import { openRootKey } from './root-key.js';
import { signRequest } from './sign-request.js';

export interface DevCaOptions {
  /** Folder that keeps the root over restarts; without it each start makes another root. */
  readonly dir?: string | undefined;
  /** Default `cluster.local`. */
  readonly trustDomain?: string;
  /** Lifetime of certificates, and the most that a caller may ask for. Default 24 h. */
  readonly lifetimeMs?: number;
  /** File with a secret that every caller's token must carry (`NAMESPACE/SERVICEACCOUNT:SECRET`). Read for each request. Without it only callers on this host are served. */
  readonly tokenFile?: string | undefined;
  /** Default: the system's. */
  readonly clock?: { wallMs(): number };
}

export interface DevCa {
  readonly trustDomain: string;
  readonly rootPem: string;
  /** The chain (PEM, leaf first, root last) for a request whose only name is the SPIFFE id of `claims`. Rejects with SigningRefused. `lifetimeMs` is capped. */
  sign(csrPem: string, claims: CallerClaims, lifetimeMs?: number): Promise<readonly string[]>;
  readonly service: GrpcService;
}

const defaultLifetimeMs = 24 * 3_600_000;

/** Rejects when the root in `dir` is unusable, with the file's name. */
export async function createDevCa(options: DevCaOptions = {}): Promise<DevCa> {
  const { dir, tokenFile, trustDomain = 'cluster.local', lifetimeMs: longestMs = defaultLifetimeMs } = options;
  const wallMs = () => options.clock?.wallMs() ?? Date.now();
  const root = await openRootKey(dir, trustDomain, wallMs());
  const sign: DevCa['sign'] = (csrPem, claims, lifetimeMs = 0) =>
    signRequest(csrPem, claims, {
      root,
      trustDomain,
      lifetimeMs: lifetimeMs > 0 ? Math.min(lifetimeMs, longestMs) : longestMs,
      nowWallMs: wallMs(),
    });
  const service = certificateService(async (caller, csrPem, lifetimeMs) => {
    const secret = tokenFile === undefined ? undefined : (await readFile(tokenFile, 'utf8')).trim();
    return sign(csrPem, callerClaims(caller, secret), lifetimeMs);
  });
  return { trustDomain, rootPem: `${root.certificate.toString('pem')}\n`, sign, service };
}
