import {
  type RouteConfiguration,
  RouteConfigurationSchema,
  VirtualHostSchema,
  equals,
  fromBinary,
  fromJson,
  toBinary,
} from '@heddle/xds';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sameFrame, wireSource } from './table-source.js';

const text = fc.string({ unit: 'grapheme', maxLength: 12 });
const host = fc.record({
  name: text,
  domains: fc.array(text, { maxLength: 4 }),
  include_request_attempt_count: fc.boolean(),
  routes: fc.array(
    fc.record({
      name: text,
      match: fc.record({ prefix: text }),
      route: fc.record({ cluster: text, timeout: fc.constant('3s') }),
    }),
    { maxLength: 3 },
  ),
});
const table = fc
  .record({
    name: text,
    virtual_hosts: fc.array(host, { maxLength: 5 }),
    internal_only_headers: fc.array(text, { maxLength: 2 }),
    max_direct_response_body_size_bytes: fc.nat(),
    ignore_port_in_host_matching: fc.boolean(),
  })
  .map((json) => fromJson(RouteConfigurationSchema, json));

/** The table put together again from its pieces. */
function joined(bytes: Uint8Array): RouteConfiguration {
  const { frame, hosts } = wireSource({ bytes });
  expect(frame.virtualHosts).toEqual([]);
  return { ...frame, virtualHosts: hosts.map((piece) => piece.decode()) };
}

describe('a route table on the wire', () => {
  it('falls into the pieces that decoding it as a whole would give', () => {
    fc.assert(
      fc.property(table, (message) => {
        const bytes = toBinary(RouteConfigurationSchema, message);
        expect(equals(RouteConfigurationSchema, joined(bytes), message)).toBe(true);
        const { hosts } = wireSource({ bytes });
        expect(hosts.map((piece) => [piece.name, piece.domains()])).toEqual(
          message.virtualHosts.map(({ name, domains }) => [name, domains]),
        );
      }),
    );
  });

  it('has the same pieces, and decodes none, where the feed gives the message with the bytes', () => {
    fc.assert(
      fc.property(table, (message) => {
        const { frame, hosts } = wireSource({ bytes: toBinary(RouteConfigurationSchema, message), message });
        expect(frame).toBe(message);
        expect(hosts).toHaveLength(message.virtualHosts.length);
        hosts.forEach((piece, index) => expect(piece.decode()).toBe(message.virtualHosts[index]));
      }),
    );
  });

  it('ends with an error or with what decoding gives, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), table, fc.nat(), (noise, message, at) => {
        const good = toBinary(RouteConfigurationSchema, message);
        const cut = at % (good.length + 1);
        for (const bytes of [noise, Buffer.concat([good.subarray(0, cut), noise])]) {
          let pieces: RouteConfiguration;
          try {
            pieces = joined(bytes);
          } catch (error) {
            expect(error).toBeInstanceOf(Error);
            continue;
          }
          expect(equals(RouteConfigurationSchema, pieces, fromBinary(RouteConfigurationSchema, bytes))).toBe(true);
        }
      }),
    );
  });

  it('knows equal virtual hosts and equal frames by their bytes', () => {
    const bytes = (name: string, cluster: string) =>
      toBinary(
        RouteConfigurationSchema,
        fromJson(RouteConfigurationSchema, {
          name,
          virtual_hosts: [{ name: 'v', domains: ['*'], routes: [{ match: { prefix: '/' }, route: { cluster } }] }],
        }),
      );
    const [one, same, other, renamed] = [bytes('t', 'a'), bytes('t', 'a'), bytes('t', 'b'), bytes('u', 'a')].map(
      (made) => wireSource({ bytes: made }),
    );
    expect(one!.hosts[0]!.equals(same!.hosts[0]!)).toBe(true);
    expect(one!.hosts[0]!.equals(other!.hosts[0]!)).toBe(false);
    expect([sameFrame(one!, other!), sameFrame(one!, renamed!)]).toEqual([true, false]);
    expect(one!.hosts[0]!.decode().$typeName).toBe(VirtualHostSchema.typeName);
  });
});
