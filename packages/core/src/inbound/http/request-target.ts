// The request target by hand, never through a URL parser: `//evil/x` is a path here, not a host (CVE-2026-26205).

export type TargetReading =
  | { readonly kind: 'target'; readonly path: string; readonly authority: string | undefined }
  | { readonly kind: 'refused'; readonly details: string };

const ABSOLUTE_FORM = /^https?:\/\/([^/?#]*)(.*)$/i;
const CONTROL = /[\x00-\x20\x7f]/;

/** Origin form `/path`, absolute form (its authority replaces Host, RFC 9112 §3.2.2), or `*` for OPTIONS. Everything else is refused (CVE-2026-33186). */
export function readTarget(method: string, target: string): TargetReading {
  if (CONTROL.test(target)) return refused('invalid_path');
  if (target.startsWith('/')) return { kind: 'target', path: target, authority: undefined };
  if (target === '*' && method === 'OPTIONS') return { kind: 'target', path: target, authority: undefined };
  const absolute = ABSOLUTE_FORM.exec(target);
  const authority = absolute?.[1];
  if (absolute === null || authority === undefined || authority === '' || authority.includes('@'))
    return refused('invalid_path');
  const rest = absolute[2] ?? '';
  return { kind: 'target', path: rest.startsWith('/') ? rest : `/${rest}`, authority };
}

function refused(details: string): { readonly kind: 'refused'; readonly details: string } {
  return { kind: 'refused', details };
}
