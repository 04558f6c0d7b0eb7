import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatClusterName, parseClusterName } from './resource-name.js';

const label = fc.stringMatching(/^[a-z0-9]([-a-z0-9.]{0,40}[a-z0-9])?$/);

describe('cluster names', () => {
  it('come back as they were written', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('outbound' as const, 'inbound' as const),
        fc.integer({ min: 0, max: 65_535 }),
        fc.option(label, { nil: '' }),
        fc.option(label, { nil: '' }),
        (direction, port, subset, host) => {
          const name = { direction, port, subset, host };
          expect(parseClusterName(formatClusterName(name))).toEqual(name);
        },
      ),
    );
  });

  it('are those of istiod', () => {
    expect(
      formatClusterName({ direction: 'outbound', port: 9080, subset: 'v1', host: 'reviews.default.svc.cluster.local' }),
    ).toBe('outbound|9080|v1|reviews.default.svc.cluster.local');
    expect(formatClusterName({ direction: 'inbound', port: 9080, subset: '', host: '' })).toBe('inbound|9080||');
  });

  it.each([
    'PassthroughCluster',
    '',
    'outbound|x||h',
    'outbound|1|h',
    'outbound|1||h|',
    'sideways|1||h',
    'outbound|123456||h',
    'outbound|-1||h',
  ])('are not read out of %j', (text) => expect(parseClusterName(text)).toBeUndefined());

  it('never throw on any text, and what is read is written back the same', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(fc.string(), { maxLength: 6 }).map((parts) => ['outbound', ...parts].join('|')),
        ),
        (text) => {
          const name = parseClusterName(text);
          if (name !== undefined) expect(parseClusterName(formatClusterName(name))).toEqual(name);
        },
      ),
    );
  });
});
