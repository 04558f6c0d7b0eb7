import { type JsonValue, RouteActionSchema, fromJson } from '@heddle/xds';
import { describe, expect, it } from 'vitest';
import { compileGrpcTimeout, totalTimeoutMs } from './route-timeout.js';

const action = (json: JsonValue) => fromJson(RouteActionSchema, json);
const grpc = (json: JsonValue) => compileGrpcTimeout(action(json));

describe('the timeout of a gRPC call', () => {
  it('is the route’s where nothing is said of grpc-timeout', () => {
    expect(grpc({ timeout: '5s' })).toBeUndefined();
    expect(totalTimeoutMs(action({ timeout: '5s' }))).toBe(5_000);
  });

  // What istiod sends: 0s on routes without a timeout, the timeout itself on the others.
  it('is its own deadline under max_grpc_timeout, capped unless that is 0', () => {
    const open = grpc({ timeout: '0s', max_grpc_timeout: '0s' });
    expect([open?.(undefined), open?.(700)]).toEqual([0, 700]);
    const capped = grpc({ timeout: '10s', max_grpc_timeout: '10s' });
    expect([capped?.(undefined), capped?.(700), capped?.(60_000)]).toEqual([10_000, 700, 10_000]);
    const longer = grpc({ timeout: '1s', max_grpc_timeout: '10s' });
    expect(longer?.(8_000)).toBe(8_000);
  });

  it('is its own deadline under grpc_timeout_header_max, else max_stream_duration', () => {
    const limits = { max_stream_duration: '2s', grpc_timeout_header_max: '5s' };
    const timeout = grpc({ timeout: '0s', max_stream_duration: limits });
    expect([timeout?.(undefined), timeout?.(3_000), timeout?.(9_000)]).toEqual([2_000, 3_000, 5_000]);
    const both = grpc({ timeout: '1s', max_stream_duration: { grpc_timeout_header_max: '0s' } });
    expect([both?.(undefined), both?.(9_000), both?.(400)]).toEqual([1_000, 1_000, 400]);
  });

  it('is shortened by the offset, which never turns it into none', () => {
    const route = grpc({ max_grpc_timeout: '0s', grpc_timeout_offset: '0.5s' });
    expect([route?.(2_000), route?.(300)]).toEqual([1_500, 300]);
    const stream = grpc({
      timeout: '0s',
      max_stream_duration: { grpc_timeout_header_max: '0s', grpc_timeout_header_offset: '0.5s' },
    });
    expect([stream?.(2_000), stream?.(300), stream?.(0)]).toEqual([1_500, 1, 1]);
  });
});
