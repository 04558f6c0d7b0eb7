import fc from 'fast-check';
import { expect, test } from 'vitest';
import { attemptHeaders, encodeTimeout, withoutTraceparent } from './call-headers.js';
import { FrameReader, encodeFrame } from './message-frames.js';
import { grpcStatusOf, readStatus, statusObject } from './status-headers.js';

test('messages come out as they went in, however the bytes are cut', () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 70 }), { maxLength: 6 }),
      fc.infiniteStream(fc.integer({ min: 1, max: 40 })),
      (messages, cuts) => {
        const bytes = Buffer.concat(messages.map((message) => encodeFrame(message)));
        const reader = new FrameReader(100);
        const read: number[][] = [];
        for (let at = 0; at < bytes.length;) {
          const end = at + (cuts.next().value as number);
          const found = reader.push(bytes.subarray(at, end));
          if (typeof found === 'string') throw new Error(found);
          read.push(...found.map((message) => [...message]));
          at = end;
        }
        expect(read).toEqual(messages.map((message) => [...message]));
        expect(reader.partial).toBe(false);
      },
    ),
  );
});

test('a message over the limit or a compressed one is refused at its head', () => {
  expect(new FrameReader(10).push(encodeFrame(Buffer.alloc(11)).subarray(0, 5))).toBe('too-large');
  expect(new FrameReader(10).push(Buffer.from([1, 0, 0, 0, 0]))).toBe('compressed');
});

test('timeouts fit in eight digits and never become zero', () => {
  expect([0.2, 1500, 1e8, 1e12].map(encodeTimeout)).toEqual(['1m', '1500m', '100000S', '277778H']);
  expect(attemptHeaders([], '/a/B', 'a', 'http', Infinity)['grpc-timeout']).toBeUndefined();
});

test('repeated headers stay apart, and the application’s own traceparent does not go out', () => {
  const flat = ['x-a', '1', 'traceparent', '00-…', 'x-a', '2'];
  expect(attemptHeaders(withoutTraceparent(flat), '/a/B', 'a', 'http', 5)).toEqual({
    ':method': 'POST',
    ':path': '/a/B',
    ':authority': 'a',
    ':scheme': 'http',
    'x-a': ['1', '2'],
    'grpc-timeout': '5m',
  });
});

test('a status is read with its percent-encoded details; a missing or odd one is UNKNOWN', () => {
  const status = readStatus({ 'grpc-status': '5', 'grpc-message': 'not%20found%21', 'x-why': 'gone' });
  expect(status).toMatchObject({ code: 5, details: 'not found!' });
  const { metadata } = statusObject(status);
  expect(metadata.getMap()).toEqual({ 'x-why': 'gone' });
  expect(readStatus({}).code).toBe(2);
  expect(readStatus({ 'grpc-status': '5', 'grpc-message': '%zz' }).details).toBe('%zz');
  expect(['17', '-1', 'x', '007'].map((text) => grpcStatusOf({ 'grpc-status': text }))).toEqual([2, 2, 2, 2]);
});
