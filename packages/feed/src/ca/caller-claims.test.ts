import { expect, test } from 'vitest';
import { callerClaims } from './caller-claims.js';

const refusal = (authorization: string | undefined, peer: string, secret?: string) => {
  try {
    return callerClaims({ authorization, peer }, secret);
  } catch (error) {
    return (error as { status: string }).status;
  }
};
const claims = { namespace: 'default', serviceAccount: 'reviews' };

test('callers on this host are believed, others are not', () => {
  for (const peer of ['127.0.0.1:4000', '127.8.9.10:1', '[::1]:50000', '::ffff:127.0.0.1:9'])
    expect(refusal('Bearer default/reviews', peer)).toEqual(claims);
  for (const peer of ['10.0.0.1:4000', '127.0.0.1.evil:1', 'unknown', '[::2]:1', ''])
    expect(refusal('Bearer default/reviews', peer)).toBe('PERMISSION_DENIED');
});

test('with a shared secret, knowing it counts and the address does not', () => {
  expect(refusal('Bearer default/reviews:s3cret', '10.0.0.1:4000', 's3cret')).toEqual(claims);
  expect(refusal('Bearer default/reviews', '127.0.0.1:4000', 's3cret')).toBe('UNAUTHENTICATED');
  expect(refusal('Bearer default/reviews:s3cre', '127.0.0.1:4000', 's3cret')).toBe('UNAUTHENTICATED');
});

test('tokens of another shape are refused', () => {
  for (const token of [
    undefined,
    '',
    'default/reviews',
    'Bearer default',
    'Bearer a/b/c',
    'Bearer ../x',
    'Bearer Default/x',
    'Bearer default/x y',
  ])
    expect(refusal(token, '127.0.0.1:4000')).toBe('UNAUTHENTICATED');
});
