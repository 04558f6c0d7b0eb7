// What a connection manager does to paths before anything looks at them; the same for calls and for requests.
import {
  HttpConnectionManager_PathWithEscapedSlashesAction as EscapedSlashes,
  type HttpConnectionManager,
} from '@heddle/xds';
import type { PathOptions } from '../../matching/path-normalization.js';

export function pathOptionsOf(manager: HttpConnectionManager): PathOptions {
  return {
    normalizePath: manager.normalizePath ?? false,
    mergeSlashes: manager.mergeSlashes,
    escapedSlashes: escapedSlashesOf(manager.pathWithEscapedSlashesAction),
  };
}

function escapedSlashesOf(action: EscapedSlashes): PathOptions['escapedSlashes'] {
  switch (action) {
    case EscapedSlashes.IMPLEMENTATION_SPECIFIC_DEFAULT:
    case EscapedSlashes.KEEP_UNCHANGED:
      return 'keep';
    case EscapedSlashes.REJECT_REQUEST:
      return 'reject';
    case EscapedSlashes.UNESCAPE_AND_REDIRECT:
      return 'unescape-redirect';
    case EscapedSlashes.UNESCAPE_AND_FORWARD:
      return 'unescape-forward';
  }
}
