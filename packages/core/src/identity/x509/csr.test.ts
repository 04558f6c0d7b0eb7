import { execFileSync } from 'node:child_process';
import { createPrivateKey } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createSigningRequest } from './csr.js';
import { element, integer, readElements, readObjectId, objectId, sequence, time } from './der.js';

test('a signing request is one that OpenSSL verifies, with the SPIFFE id as its only name', () => {
  const id = 'spiffe://cluster.local/ns/default/sa/reviews';
  const request = createSigningRequest(id);
  const text = execFileSync('openssl', ['req', '-noout', '-verify', '-text'], {
    input: request.csrPem,
    stdio: ['pipe', 'pipe', 'pipe'],
  }).toString();
  expect(text).toContain(`URI:${id}`);
  expect(text).toContain('ecdsa-with-SHA256');
  expect(createPrivateKey(request.privateKeyPem).asymmetricKeyDetails?.namedCurve).toBe('prime256v1');
});

test('what the writer writes, the reader reads back', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 5 }), (parts) => {
      const written = sequence(...parts.map((part) => element(0x04, part)));
      const inner = readElements(readElements(written)![0]!.content)!;
      expect(inner.map(({ content }) => [...content])).toEqual(parts.map((part) => [...part]));
    }),
  );
});

test('the reader refuses or reads any bytes, and never runs past them', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      const elements = readElements(bytes);
      const read = elements?.reduce((sum, one) => sum + one.bytes.length, 0);
      expect(read ?? bytes.length).toBe(bytes.length);
    }),
  );
});

test('object ids, integers and times have their DER forms', () => {
  for (const id of ['2.5.29.17', '1.3.6.1.5.5.7.3.1', '1.2.840.10045.4.3.2'])
    expect(readObjectId(readElements(objectId(id))![0]!.content)).toBe(id);
  expect([...integer(Buffer.of(0x80))]).toEqual([2, 2, 0, 0x80]);
  expect([...integer(Buffer.of(0, 0, 1))]).toEqual([2, 1, 1]);
  expect(
    time(Date.UTC(2049, 11, 31, 23, 59, 59))
      .subarray(2)
      .toString(),
  ).toBe('491231235959Z');
  expect(
    time(Date.UTC(2050, 0, 1))
      .subarray(2)
      .toString(),
  ).toBe('20500101000000Z');
});
