// Whether one match of a VirtualService takes every request that another one takes: each of its conditions follows from the other's.

type Fields = Readonly<Record<string, unknown>>;

/** Conservative: false where it cannot be told (two different regular expressions). Works on http, tcp and tls matches. */
export function matchCovers(wide: Fields, narrow: Fields): boolean {
  return Object.entries(wide).every(([field, condition]) => {
    switch (field) {
      case 'name':
      case 'statPrefix':
      case 'ignoreUriCase':
        return true;
      case 'uri':
        return sameCase(wide, narrow) && stringCovers(condition, narrow[field]);
      case 'method':
      case 'authority':
      case 'scheme':
        return stringCovers(condition, narrow[field]);
      case 'headers':
      case 'queryParams':
        return mapCovers(condition, narrow[field]);
      case 'sniHosts':
      case 'destinationSubnets':
      case 'gateways':
        return listCovers(condition, narrow[field]);
      default:
        // withoutHeaders, sourceLabels, port, sourceNamespace, …: only the same condition is known to follow.
        return equal(condition, narrow[field]);
    }
  });
}

const sameCase = (a: Fields, b: Fields) => (a['ignoreUriCase'] ?? false) === (b['ignoreUriCase'] ?? false);

function stringCovers(wide: unknown, narrow: unknown): boolean {
  const [a, b] = [fields(wide), fields(narrow)];
  // An empty match asks for presence only.
  if (narrow !== undefined && Object.keys(a).length === 0) return true;
  const prefix = a['prefix'];
  const value = b['exact'] ?? b['prefix'];
  if (typeof prefix === 'string') return typeof value === 'string' && value.startsWith(prefix);
  return equal(a, b);
}

function mapCovers(wide: unknown, narrow: unknown): boolean {
  const other = fields(narrow);
  return Object.entries(fields(wide)).every(
    ([name, condition]) => name in other && stringCovers(condition, other[name]),
  );
}

// Any entry of the list may match, so the narrow one must be a part of the wide one.
function listCovers(wide: unknown, narrow: unknown): boolean {
  if (!Array.isArray(wide) || !Array.isArray(narrow) || narrow.length === 0) return false;
  return narrow.every((entry) => wide.includes(entry));
}

function equal(a: unknown, b: unknown): boolean {
  return a !== undefined && b !== undefined && canonical(a) === canonical(b);
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) => {
    if (typeof item !== 'object' || item === null || Array.isArray(item)) return item;
    return Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

function fields(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {};
}
