// What adapters may use of the inbound side. `mesh.inbound` is one.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { MeshRequestInfo } from './mesh-request.js';

export interface InboundAccess {
  /** The mesh's facts of a request that has passed the policies; undefined when none has looked at it yet. */
  info(request: IncomingMessage): MeshRequestInfo | undefined;
  /**
   * Runs the inbound policies for a request that a server other than the mesh's accepted, then calls `next` inside the request's context. Where policy
   * answers (or closes the connection), `next` is not called. A request that mesh.serve accepted goes straight to `next`.
   */
  handle(request: IncomingMessage, response: ServerResponse, next: () => unknown): void;
}
