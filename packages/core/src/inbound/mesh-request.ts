// What an application finds on its requests: `request.mesh`.
import type { IncomingMessage } from 'node:http';
import type { PeerIdentity } from '../identity/identity-provider.js';
import type { RequestContext } from '../telemetry/request-context.js';

/** Facts of an inbound request that passed the mesh's policies. */
export interface MeshRequestInfo {
  /** Who calls, proven by the certificate of this connection; undefined without mutual TLS. */
  readonly peer: PeerIdentity | undefined;
  readonly requestId: string;
  /** Monotonic milliseconds (`performance.now()`) by which the caller wants the answer; undefined = no deadline. */
  readonly deadlineMs: number | undefined;
  /** Aborted when the caller goes away or the deadline passes. */
  readonly signal: AbortSignal;
  /** The context that outbound calls made for this request inherit by themselves. */
  readonly context: RequestContext;
}

declare module 'http' {
  interface IncomingMessage {
    /** Set by Heddle once the request passed the inbound policies. */
    mesh?: MeshRequestInfo | undefined;
  }
}

/** The mesh's facts of a request; undefined when no mesh server or adapter has seen it. */
export function meshInfo(request: IncomingMessage): MeshRequestInfo | undefined {
  return request.mesh;
}
