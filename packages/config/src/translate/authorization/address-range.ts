// Addresses and CIDR blocks of policies.
import { isIP } from 'node:net';
import { type CidrRange, CidrRangeSchema, create } from '@heddle/xds';

/** `10.1.2.3` or `10.1.0.0/16`. Throws for anything else: the rule that has it is then left out or closed. */
export function addressRange(text: string): CidrRange {
  const [address = '', length] = text.split('/');
  const family = isIP(address);
  const prefixLen = length === undefined ? (family === 6 ? 128 : 32) : Number(length);
  if (family === 0 || !Number.isInteger(prefixLen) || prefixLen < 0 || prefixLen > (family === 6 ? 128 : 32)) {
    throw new RangeError(`${text} is no address or CIDR block`);
  }
  return create(CidrRangeSchema, { addressPrefix: address, prefixLen });
}
