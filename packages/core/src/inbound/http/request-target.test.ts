import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isPlainTarget, normalizePath, normalizeTarget } from '../../matching/path-normalization.js';
import { readTarget } from './request-target.js';

const istio = { normalizePath: true, mergeSlashes: true, escapedSlashes: 'unescape-forward' } as const;
const path = fc
  .array(fc.constantFrom('a', '.', '..', '%2e', '%2E%2e', '', '%61', 'b\\c', '%2f', '%5C', 'é', 'a?x=/../'), {
    maxLength: 8,
  })
  .map((parts) => `/${parts.join('/')}`);

describe('normalisation', () => {
  test('is done once: what the application sees can’t be normalised any further', () => {
    fc.assert(
      fc.property(path, (target) => {
        const once = normalizeTarget(target, istio);
        if (once.kind !== 'path') return;
        expect(normalizeTarget(once.path, { ...istio, escapedSlashes: 'keep' })).toEqual(once);
      }),
    );
  });

  test('leaves a plain target as it is, whatever is asked for', () => {
    const strict = { normalizePath: true, mergeSlashes: true, escapedSlashes: 'reject', fragment: 'reject' } as const;
    const any = fc.oneof(path, fc.string({ unit: 'binary' }), fc.webPath(), fc.constant('/a//?b/../%2f'));
    fc.assert(
      fc.property(any, (target) => {
        if (!isPlainTarget(target)) return;
        expect(readTarget('GET', target)).toEqual({ kind: 'target', path: target, authority: undefined });
        expect(normalizeTarget(target, strict)).toEqual({ kind: 'path', path: target });
      }),
    );
    expect(['/', '/reviews/0', '/a.b/c?d=/../e//f%2f'].map(isPlainTarget)).toEqual([true, true, true]);
  });

  test('leaves no dot segment, no backslash and no double slash in the path', () => {
    fc.assert(
      fc.property(path, (target) => {
        const result = normalizeTarget(target, istio);
        if (result.kind !== 'path') return;
        const [only = ''] = result.path.split('?');
        expect(only).toMatch(/^\//);
        expect(only.split('/').some((segment) => segment === '.' || segment === '..')).toBe(false);
        expect(only).not.toMatch(/\\|\/\//);
      }),
    );
  });

  test.each([
    ['/%7Euser/%41%5a%30%2D%2E%5F', '/~user/AZ0-._'],
    ['/a%20b', '/a%20b'],
    ['/a/..', '/'],
    ['/a/b/.', '/a/b/'],
    ['/..', '/'],
    ['/.hidden/...', '/.hidden/...'],
  ])('%s becomes %s', (before, after) => {
    expect(normalizePath(before)).toBe(after);
  });
});

describe('targets', () => {
  test.each([
    ['GET', '/a', '/a', undefined],
    ['OPTIONS', '*', '*', undefined],
    ['GET', '//evil/x', '//evil/x', undefined],
    ['GET', 'http://b:80', '/', 'b:80'],
    ['GET', 'HTTPS://b/x?y', '/x?y', 'b'],
    ['GET', 'http://b?y', '/?y', 'b'],
  ])('%s %s', (method, target, expected, authority) => {
    expect(readTarget(method, target)).toEqual({ kind: 'target', path: expected, authority });
  });

  test.each([
    ['GET', ''],
    ['GET', '*'],
    ['GET', 'svc/Method'],
    ['GET', 'http://'],
    ['GET', 'http://u@h/'],
    ['GET', 'ftp://h/'],
    ['GET', '/a b'],
    ['GET', '/a\tb'],
  ])('%s %j is refused', (method, target) => {
    expect(readTarget(method, target).kind).toBe('refused');
  });

  test('any text gives a verdict and never an exception', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const target = readTarget('GET', text);
        if (target.kind === 'target') expect(target.path.startsWith('/')).toBe(true);
      }),
    );
  });
});
