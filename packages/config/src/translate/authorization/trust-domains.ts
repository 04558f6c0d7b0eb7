// Trust domain aliases in principals: a name of the own trust domain stands for all its aliases (Istio: security/trustdomain).
export interface TrustDomains {
  readonly trustDomain: string;
  readonly aliases: readonly string[];
}

/** Principals with one entry for each trust domain that they may come from. */
export function expandPrincipals(
  principals: readonly string[],
  { trustDomain, aliases }: TrustDomains,
): readonly string[] {
  const domains = [trustDomain, ...aliases];
  return principals.flatMap((principal) => {
    const [stated = '', ...rest] = principal.split('/');
    // Anything but `TD/ns/NS/sa/SA` says nothing about the trust domain.
    if (rest.length !== 4 || stated === '*') return [principal];
    // `cluster.local` always means the own trust domain, whatever its name.
    if (stated !== 'cluster.local' && !domains.some((domain) => matches(domain, stated))) return [principal];
    return [...new Set(domains.map((domain) => (hasSuffix(domain, stated) ? principal : [domain, ...rest].join('/'))))];
  });
}

export function expandTrustDomains(
  values: readonly string[],
  { trustDomain, aliases }: TrustDomains,
): readonly string[] {
  const domains = [trustDomain, ...aliases];
  return [...new Set(values.flatMap((value) => (domains.includes(value) ? domains : [value])))];
}

function matches(domain: string, pattern: string): boolean {
  if (pattern.endsWith('*')) return domain.startsWith(pattern.slice(0, -1));
  return domain === pattern || hasSuffix(domain, pattern);
}

function hasSuffix(domain: string, pattern: string): boolean {
  return pattern.startsWith('*') ? domain.endsWith(pattern.slice(1)) : false;
}
