import { StringMatcherSchema, SubjectAltNameMatcherSchema, fromJson } from '@heddle/xds';
import { describe, expect, it } from 'vitest';
import { MeshError } from '../errors.js';
import { compileSanMatchers } from './san-matchers.js';

describe('compileSanMatchers', () => {
  it('keeps the type and matches the whole name', () => {
    const [uri] = compileSanMatchers([
      fromJson(SubjectAltNameMatcherSchema, {
        san_type: 'URI',
        matcher: { exact: 'spiffe://cluster.local/ns/a/sa/b' },
      }),
    ]);
    expect(uri?.type).toBe('uri');
    expect(uri?.matches('spiffe://cluster.local/ns/a/sa/b')).toBe(true);
    expect(uri?.matches('spiffe://cluster.local/ns/a/sa/bb')).toBe(false);
    expect(uri?.text).toBe('exact "spiffe://cluster.local/ns/a/sa/b"');
  });

  it('takes the untyped ones as any kind of name', () => {
    const [any] = compileSanMatchers([], [fromJson(StringMatcherSchema, { prefix: 'spiffe://x/' })]);
    expect(any?.type).toBe('any');
    expect(any?.matches('spiffe://x/y')).toBe(true);
  });

  it("lets a certificate's wildcard stand for one label", () => {
    const [dns] = compileSanMatchers([
      fromJson(SubjectAltNameMatcherSchema, { san_type: 'DNS', matcher: { exact: 'a.Example.com' } }),
    ]);
    expect(dns?.matches('*.example.com')).toBe(true);
    expect(dns?.matches('A.example.COM')).toBe(true);
    expect(dns?.matches('*.com')).toBe(false);
  });

  it('refuses names that it cannot check', () => {
    expect(() =>
      compileSanMatchers([fromJson(SubjectAltNameMatcherSchema, { san_type: 'OTHER_NAME', matcher: { exact: 'x' } })]),
    ).toThrow(MeshError);
  });
});
