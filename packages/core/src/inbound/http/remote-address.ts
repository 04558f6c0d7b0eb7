// Whose request it is behind proxies: the client's address and what becomes of x-forwarded-for (Envoy: conn_manager_utility.cc, mutateRequestHeaders).
import { isIP } from 'node:net';
import type { RemoteAddressRules } from '../../snapshot/inbound-snapshot.js';

/** What istiod sends to sidecars, and what holds where nothing is configured: the header stays as it came. */
export const SIDECAR_ADDRESSES: RemoteAddressRules = { useRemoteAddress: false, trustedHops: 0, skipAppend: true };

/** The client's address: the connection's, or the one that `trustedHops` proxies vouch for. */
export function clientAddress(rules: RemoteAddressRules, header: string | undefined, sourceIp: string): string {
  if (header === undefined || (rules.useRemoteAddress && rules.trustedHops === 0)) return sourceIp;
  return addressFromRight(header, rules.useRemoteAddress ? rules.trustedHops - 1 : rules.trustedHops) ?? sourceIp;
}

/** x-forwarded-for with the connection's peer appended; undefined: it stays as it came. A peer on the loopback stands for this host. */
export function appendedForwardedFor(
  rules: RemoteAddressRules,
  header: string | undefined,
  sourceIp: string,
  destinationIp: string,
): string | undefined {
  if (rules.skipAppend) return undefined;
  const address = sourceIp.startsWith('127.') || sourceIp === '::1' ? destinationIp : sourceIp;
  return header === undefined || header === '' ? address : `${header},${address}`;
}

/** The address `skip` places left of the last one; undefined when there are not so many or it is none. */
function addressFromRight(header: string, skip: number): string | undefined {
  let end = header.length;
  for (let left = skip; left > 0; left--) {
    end = header.lastIndexOf(',', end - 1);
    if (end <= 0) return undefined;
  }
  const address = header.slice(header.lastIndexOf(',', end - 1) + 1, end).trim();
  return isIP(address) === 0 ? undefined : address;
}
