import { describe, expect, it } from 'vitest';
import { grpcTimeoutMs } from './timeout-plan.js';

describe('a grpc-timeout header', () => {
  it.each([
    ['1H', 3_600_000],
    ['2M', 120_000],
    ['3S', 3_000],
    ['250m', 250],
    ['1500u', 2],
    ['1n', 1],
    ['0m', 0],
    ['99999999S', 99_999_999_000],
  ])('%s is %d ms', (header, ms) => {
    expect(grpcTimeoutMs(header)).toBe(ms);
  });

  it.each([undefined, '', '1', 'm', '1s', '-1S', '1.5S', '100000000S', '1S '])('%s asks for nothing', (header) => {
    expect(grpcTimeoutMs(header)).toBeUndefined();
  });
});
