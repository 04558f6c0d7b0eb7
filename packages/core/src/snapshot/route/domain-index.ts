// Which virtual host takes an authority: exact, longest suffix (`*.foo`), longest prefix (`foo.*`), `*`; without regard to case
// (Envoy: RouteMatcher::findVirtualHost).
import { asciiLower } from '../../matching/ascii-case.js';
import type { CompileReport } from '../compile-report.js';

interface WildcardGroup {
  readonly length: number;
  readonly hosts: Map<string, number>;
}

export class DomainIndex {
  readonly #exact = new Map<string, number>();
  /** Longest first. */
  readonly #suffixes: WildcardGroup[] = [];
  readonly #prefixes: WildcardGroup[] = [];
  #any: number | undefined;

  /** `domainsOf[i]` are the domains of virtual host i. A domain that is listed twice is a fault, as in Envoy. */
  constructor(
    domainsOf: readonly (readonly string[])[],
    private readonly ignorePort: boolean,
    report: CompileReport,
  ) {
    for (const [host, domains] of domainsOf.entries()) {
      if (domains.length === 0) report.fault(`virtual_hosts[${host}].domains`, 'must not be empty');
      for (const [index, domain] of domains.entries())
        if (!this.#add(asciiLower(domain), host))
          report.fault(`virtual_hosts[${host}].domains[${index}]`, `duplicate domain ${JSON.stringify(domain)}`);
    }
    this.#suffixes.sort((a, b) => b.length - a.length);
    this.#prefixes.sort((a, b) => b.length - a.length);
  }

  /** Index of the virtual host that takes an authority; undefined when none does. */
  find(authority: string): number | undefined {
    const came = this.ignorePort ? withoutPort(authority) : authority;
    // The keys are lower case, so a host that is found needs no folding.
    const exact = this.#exact.get(came);
    return exact ?? this.#findWithoutCase(asciiLower(came));
  }

  #findWithoutCase(host: string): number | undefined {
    const exact = this.#exact.get(host);
    if (exact !== undefined) return exact;
    for (const group of this.#suffixes) {
      // The wildcard stands for at least one character.
      if (group.length >= host.length) continue;
      const found = group.hosts.get(host.slice(-group.length));
      if (found !== undefined) return found;
    }
    for (const group of this.#prefixes) {
      if (group.length >= host.length) continue;
      const found = group.hosts.get(host.slice(0, group.length));
      if (found !== undefined) return found;
    }
    return this.#any;
  }

  /** False when the domain was there already. */
  #add(domain: string, host: number): boolean {
    if (domain === '*') {
      if (this.#any !== undefined) return false;
      this.#any = host;
      return true;
    }
    if (domain.startsWith('*')) return addOnce(groupOf(this.#suffixes, domain.length - 1), domain.slice(1), host);
    if (domain.endsWith('*')) return addOnce(groupOf(this.#prefixes, domain.length - 1), domain.slice(0, -1), host);
    return addOnce(this.#exact, domain, host);
  }
}

function groupOf(groups: WildcardGroup[], length: number): Map<string, number> {
  let group = groups.find((known) => known.length === length);
  if (group === undefined) {
    group = { length, hosts: new Map() };
    groups.push(group);
  }
  return group.hosts;
}

function addOnce(map: Map<string, number>, key: string, host: number): boolean {
  if (map.has(key)) return false;
  map.set(key, host);
  return true;
}

/** `host:port` and `[v6]:port` without the port. */
function withoutPort(authority: string): string {
  const colon = authority.lastIndexOf(':');
  if (colon === -1 || (authority.startsWith('[') && authority.charCodeAt(colon - 1) !== 0x5d)) return authority;
  return authority.slice(0, colon);
}
