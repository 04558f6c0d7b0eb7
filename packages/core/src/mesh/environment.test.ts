import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MeshError } from '../errors.js';
import { optionsFromEnvironment } from './environment.js';

describe('the environment as options', () => {
  it('reads a service from Heddle variables', () => {
    const options = optionsFromEnvironment({
      HEDDLE_FEED: 'xds://127.0.0.1:15010, ./mesh',
      HEDDLE_SERVICE: 'details',
      HEDDLE_NAMESPACE: 'shop',
      HEDDLE_LABELS: 'app=details,version=v1',
      HEDDLE_RETRY_NON_IDEMPOTENT: '1',
      HEDDLE_HEALTH: '15021',
    });
    expect(options).toEqual({
      feed: ['xds://127.0.0.1:15010', './mesh'],
      service: { name: 'details', namespace: 'shop', labels: { app: 'details', version: 'v1' } },
      retryNonIdempotent: true,
      healthPort: 15_021,
    });
  });

  it("reads Kubernetes' and Istio's own variables where Heddle's are absent", () => {
    const options = optionsFromEnvironment({
      POD_NAMESPACE: 'shop',
      ISTIO_METAJSON_LABELS: '{"app":"details","version":"v1"}',
      ISTIO_META_CLUSTER_ID: 'east',
      SERVICE_ACCOUNT: 'details-account',
    });
    expect(options.service).toEqual({
      namespace: 'shop',
      labels: { app: 'details', version: 'v1' },
      serviceAccount: 'details-account',
    });
    expect(options.clusterId).toBe('east');
  });

  it('takes an empty variable as one that is not set', () => {
    expect(optionsFromEnvironment({ HEDDLE_FEED: '', HEDDLE_LOG: '', HEDDLE_HEALTH: '' })).toEqual({ service: {} });
  });

  it.each([
    ['HEDDLE_LABELS', 'app'],
    ['ISTIO_METAJSON_LABELS', '{'],
    ['ISTIO_METAJSON_LABELS', '[1]'],
    ['HEDDLE_IDENTITY', 'magic'],
    ['HEDDLE_RETRY_NON_IDEMPOTENT', 'yes'],
    ['HEDDLE_HEALTH', '70000'],
    ['HEDDLE_LOG', 'loud'],
  ])('refuses %s=%s and names the variable', (variable, value) => {
    const read = () => optionsFromEnvironment({ [variable]: value });
    expect(read).toThrow(MeshError);
    expect(read).toThrow(variable);
  });

  it('never fails with anything but CONFIG_INVALID', () => {
    const names = ['HEDDLE_FEED', 'HEDDLE_LABELS', 'HEDDLE_IDENTITY', 'HEDDLE_HEALTH', 'ISTIO_METAJSON_LABELS'];
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...names), fc.string()), (env) => {
        try {
          optionsFromEnvironment(env);
        } catch (error) {
          expect(MeshError.is(error) && error.code).toBe('CONFIG_INVALID');
        }
      }),
    );
  });
});
