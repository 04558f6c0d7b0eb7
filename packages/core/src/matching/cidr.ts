// IP ranges: IPv4, IPv6, and IPv4-mapped IPv6 (`::ffff:10.0.0.1`, what a dual-stack socket reports) read as the IPv4 address that it is.
import { isIPv4, isIPv6 } from 'node:net';
import type { CidrRange } from '@heddle/xds';
import { MeshError } from '../errors.js';

/** True when the address lies in the range; false for anything that is not an IP address. */
export type CidrTest = (ip: string) => boolean;

/** Compiles a range; an unset prefix length is 0 (Envoy). Throws MeshError CONFIG_INVALID when the prefix is no IP address. */
export function compileCidr(range: CidrRange): CidrTest {
  const address = parseIp(range.addressPrefix);
  if (address === undefined)
    throw new MeshError(
      'CONFIG_INVALID',
      `address_prefix: ${JSON.stringify(range.addressPrefix)} is not an IP address`,
    );
  const mapped = address.bits === 32 && !isIPv4(range.addressPrefix) ? 96 : 0;
  const length = Math.max(0, Math.min((range.prefixLen ?? 0) - mapped, address.bits));
  const shift = BigInt(address.bits - length);
  const wanted = address.value >> shift;
  return (ip) => {
    const came = parseIp(ip);
    return came !== undefined && came.bits === address.bits && came.value >> shift === wanted;
  };
}

/** Length of the prefix, for rules where the longest range wins. */
export function prefixLength(range: CidrRange): number {
  return range.prefixLen ?? 0;
}

interface IpValue {
  readonly bits: 32 | 128;
  readonly value: bigint;
}

/** Reads an address; zone ids (`%eth0`) are dropped. */
export function parseIp(text: string): IpValue | undefined {
  if (isIPv4(text)) return { bits: 32, value: v4Value(text) };
  // The colon first: Node compiles a large expression for its first question about an IPv6 address (7 ms).
  if (!text.includes(':') || !isIPv6(text)) return undefined;
  const value = v6Value(text.split('%', 1)[0] ?? text);
  const isMapped = value >> 32n === 0xffffn;
  return isMapped ? { bits: 32, value: value & 0xffffffffn } : { bits: 128, value };
}

function v4Value(text: string): bigint {
  let value = 0;
  for (const part of text.split('.')) value = value * 256 + Number(part);
  return BigInt(value);
}

function v6Value(text: string): bigint {
  const [head = '', tail] = text.split('::');
  const left = groups(head);
  const right = tail === undefined ? [] : groups(tail);
  const zeros = new Array<number>(8 - left.length - right.length).fill(0);
  let value = 0n;
  for (const group of [...left, ...zeros, ...right]) value = (value << 16n) | BigInt(group);
  return value;
}

/** 16-bit groups of one side of `::`; a dotted IPv4 tail makes two of them. */
function groups(text: string): number[] {
  if (text === '') return [];
  const result: number[] = [];
  for (const part of text.split(':')) {
    if (part.includes('.')) {
      const value = Number(v4Value(part));
      result.push(Math.floor(value / 65_536), value % 65_536);
    } else result.push(Number.parseInt(part, 16));
  }
  return result;
}
