// Host names as Istio reads them: short names belong to the namespace of the object that uses them, `*.example.com` is a wildcard.

/** A name without a dot is a service of the namespace; every other name stands for itself (Istio: ResolveShortnameToFQDN). */
export function resolveHost(host: string, namespace: string, clusterDomain: string): string {
  const name = host.toLowerCase();
  if (name === '*' || name.includes('.')) return name;
  return serviceHost(name, namespace, clusterDomain);
}

export function serviceHost(name: string, namespace: string, clusterDomain: string): string {
  return `${name}.${namespace}.svc.${clusterDomain}`;
}

export function isWildcard(host: string): boolean {
  return host.startsWith('*');
}

/** Whether any host can match both names, wildcards on either side (Istio: host.Name.Matches). */
export function hostsOverlap(a: string, b: string): boolean {
  if (isWildcard(a)) {
    const suffix = a.slice(1);
    if (!isWildcard(b)) return b.endsWith(suffix);
    const other = b.slice(1);
    return other.endsWith(suffix) || suffix.endsWith(other);
  }
  return isWildcard(b) ? a.endsWith(b.slice(1)) : a === b;
}

/** Whether every host of `b` is a host of `a` (Istio: host.Name.SubsetOf, reversed). */
export function hostCovers(a: string, b: string): boolean {
  if (!isWildcard(a)) return a === b;
  const suffix = a.slice(1);
  return isWildcard(b) ? b.slice(1).endsWith(suffix) : b.endsWith(suffix);
}

/** The most specific of the patterns that cover the host: the exact name, else the longest wildcard. */
export function mostSpecific<T>(host: string, patterns: ReadonlyMap<string, T>): T | undefined {
  const exact = patterns.get(host);
  if (exact !== undefined) return exact;
  let best: string | undefined;
  for (const pattern of patterns.keys()) {
    if (isWildcard(pattern) && hostCovers(pattern, host) && (best === undefined || pattern.length > best.length))
      best = pattern;
  }
  return best === undefined ? undefined : patterns.get(best);
}
