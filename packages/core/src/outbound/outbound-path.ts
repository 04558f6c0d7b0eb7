// The path of a call as the listener's connection manager makes it: routes match, and the upstream gets, what a sidecar would have sent.
import { isPlainTarget, normalizeTarget } from '../matching/path-normalization.js';
import type { OutboundListener } from '../snapshot/route-snapshot.js';
import { localReply, type LocalReply } from './exchange/local-reply.js';

/** Beyond the mesh's listeners paths stay as they are, byte for byte. The reply is for a path that Envoy refuses. */
export function outboundPath(listener: OutboundListener | undefined, path: string): string | LocalReply {
  if (listener?.target.kind !== 'http' || listener.target.paths === undefined || isPlainTarget(path)) return path;
  const normal = normalizeTarget(path, listener.target.paths);
  const details = 'path_normalization_failed';
  switch (normal.kind) {
    case 'path':
      return normal.path;
    case 'refused':
      return localReply('INVALID_REQUEST', { details });
    case 'redirect':
      return {
        ...localReply('INVALID_REQUEST', { details }),
        code: undefined,
        status: 307,
        headers: [['location', normal.path]],
      };
  }
}
