import { CidrRangeSchema, create } from '@heddle/xds';
import fc from 'fast-check';
import { BlockList } from 'node:net';
import { describe, expect, it } from 'vitest';
import { MeshError } from '../errors.js';
import { compileCidr } from './cidr.js';

const test = (addressPrefix: string, prefixLen?: number) =>
  compileCidr(create(CidrRangeSchema, prefixLen === undefined ? { addressPrefix } : { addressPrefix, prefixLen }));

describe('compileCidr', () => {
  it.each([
    ['10.0.0.0', 8, '10.255.0.1', true],
    ['10.0.0.0', 8, '11.0.0.1', false],
    ['10.1.2.3', 32, '10.1.2.3', true],
    ['10.1.2.3', 32, '::ffff:10.1.2.3', true],
    ['::ffff:10.0.0.0', 104, '10.9.9.9', true],
    ['::ffff:10.0.0.0', 104, '11.9.9.9', false],
    ['2001:db8::', 32, '2001:db8:1::1', true],
    ['2001:db8::', 32, '2001:db9::1', false],
    ['fe80::', 10, 'fe80::1%eth0', true],
    ['::', 0, '10.0.0.1', false],
    ['0.0.0.0', 0, '10.0.0.1', true],
    ['10.0.0.0', 8, 'not an address', false],
    ['10.0.0.0', 8, '', false],
    ['10.0.0.0', 99, '10.0.0.0', true],
  ])('%s/%s takes %s: %s', (prefix, length, ip, expected) => {
    expect(test(prefix, length)(ip)).toBe(expected);
  });

  it('takes every address when no length is given, as Envoy', () => {
    expect(test('10.0.0.0')('192.168.0.1')).toBe(true);
  });

  it('refuses a prefix that is no address', () => {
    expect(() => test('10.0.0.0/8', 8)).toThrow(MeshError);
  });

  it("agrees with Node's own subnets", () => {
    fc.assert(
      fc.property(fc.ipV4(), fc.integer({ min: 0, max: 32 }), fc.ipV4(), (prefix, length, ip) => {
        const list = new BlockList();
        list.addSubnet(prefix, length);
        expect(test(prefix, length)(ip)).toBe(list.check(ip));
      }),
    );
    fc.assert(
      fc.property(fc.ipV6(), fc.integer({ min: 0, max: 128 }), fc.ipV6(), (prefix, length, ip) => {
        const list = new BlockList();
        list.addSubnet(prefix, length, 'ipv6');
        expect(test(prefix, length)(ip)).toBe(list.check(ip, 'ipv6'));
      }),
    );
  });
});
