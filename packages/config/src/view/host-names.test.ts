// Host names: what a short name means, and which pattern wins.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hostCovers, hostsOverlap, mostSpecific, resolveHost } from './host-names.js';

const label = fc.stringMatching(/^[a-z]{1,4}$/);
const name = fc.array(label, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('.'));
const pattern = fc.oneof(
  name,
  name.map((host) => `*.${host}`),
  fc.constant('*'),
);

describe('host names', () => {
  it('give a short name the namespace of its object', () => {
    expect(resolveHost('Reviews', 'shop', 'cluster.local')).toBe('reviews.shop.svc.cluster.local');
    expect(resolveHost('reviews.default', 'shop', 'cluster.local')).toBe('reviews.default');
    expect(resolveHost('*', 'shop', 'cluster.local')).toBe('*');
  });

  it('overlap the same way from both sides', () => {
    fc.assert(fc.property(pattern, pattern, (a, b) => hostsOverlap(a, b) === hostsOverlap(b, a)));
  });

  it('that cover another one overlap it and everything that it covers', () => {
    fc.assert(
      fc.property(pattern, pattern, name, (a, b, host) => {
        if (hostCovers(a, b)) expect(hostsOverlap(a, b)).toBe(true);
        if (hostCovers(a, b) && hostCovers(b, host)) expect(hostCovers(a, host)).toBe(true);
      }),
    );
  });

  it('choose no pattern that a longer matching one would beat', () => {
    fc.assert(
      fc.property(name, fc.uniqueArray(pattern, { maxLength: 6 }), (host, patterns) => {
        const chosen = mostSpecific(host, new Map(patterns.map((entry) => [entry, entry])));
        const fitting = patterns.filter((entry) => hostCovers(entry, host));
        const longest = fitting.length === 0 ? undefined : Math.max(...fitting.map((entry) => entry.length));
        expect(fitting.includes(host) ? chosen : chosen?.length).toBe(fitting.includes(host) ? host : longest);
      }),
    );
  });
});
