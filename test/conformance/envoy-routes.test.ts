// Envoy's own route-table cases (router_check_tool and config_impl_test), run through Heddle's route tables. Data: shared corpora.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ROUTE_TYPE_URL, RouteConfigurationSchema, toBinary, type JsonValue } from '@heddle/xds';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { VirtualClock } from '../../packages/core/src/testing/virtual-clock.js';
import { buildSnapshot } from '../../packages/core/src/snapshot/build-snapshot.js';
import { createInspector } from '../../packages/core/src/snapshot/resource/resource-inspector.js';
import type { RouteTable } from '../../packages/core/src/snapshot/route-snapshot.js';
import { routesFromYaml } from '../support/routing/envoy-yaml.js';
import { type CorpusCase, failures, observe } from '../support/routing/route-corpus.js';

interface Gaps {
  /** Kinds of checks that are not looked at. */
  readonly checks: Readonly<Record<string, string>>;
  /** `FILE/test name` of cases that fail. */
  readonly cases: Readonly<Record<string, string>>;
  /** Ids of invalid configurations that are accepted. */
  readonly invalid: Readonly<Record<string, string>>;
}

const corpora = process.env['HEDDLE_CORPORA'] ?? fileURLToPath(new URL('../../../shared/corpora', import.meta.url));
const present = existsSync(join(corpora, 'envoy-router-check'));
const gaps = parse(readFileSync(new URL('envoy-routes.gaps.yaml', import.meta.url), 'utf8')) as Gaps;
const skippedChecks = new Set(Object.keys(gaps.checks));

/** Passes a RouteConfiguration through inspector and snapshot, as a feed's would go. */
function load(text: string): { readonly refusal: string | undefined; readonly table: () => RouteTable } {
  const message = routesFromYaml(text);
  message.name = 'corpus';
  const raw = {
    typeUrl: ROUTE_TYPE_URL,
    name: 'corpus',
    version: '1',
    bytes: toBinary(RouteConfigurationSchema, message),
  } as const;
  const empty = new Map();
  const view = {
    generation: 1,
    listeners: empty,
    routes: new Map([['corpus', raw]]),
    clusters: empty,
    endpoints: empty,
    secrets: empty,
  };
  const deps = {
    filterKinds: [],
    filterState: { stateFor: <State>(_: string, create: () => State) => create() },
    clock: new VirtualClock(),
  };
  return {
    refusal: createInspector([]).refusal(raw),
    table: () => buildSnapshot(view, undefined, deps).routeTable('corpus')!,
  };
}

describe.skipIf(!present)('Envoy’s route tables (skipped without the corpora)', () => {
  const files = ['envoy-router-check', 'envoy-route-config'].flatMap((folder) =>
    present
      ? readdirSync(join(corpora, folder))
          .filter((name) => name.endsWith('.route.yaml'))
          .map((name) => ({ id: `${folder}/${name.replace('.route.yaml', '')}`, path: join(corpora, folder, name) }))
      : [],
  );
  const met = { passed: 0, gaps: 0 };

  it.each(files)('$id', ({ id, path }) => {
    const { refusal, table } = load(readFileSync(path, 'utf8'));
    expect(refusal).toBeUndefined();
    const { tests } = JSON.parse(readFileSync(path.replace('.route.yaml', '.expect.json'), 'utf8')) as {
      tests: CorpusCase[];
    };
    const wrong: string[] = [];
    for (const test of tests) {
      const name = `${id}/${test.test_name}`;
      const failed = failures(observe(table(), test.input), test, skippedChecks);
      const passed = (failed.length === 0) === (test.expect_validate_to_fail !== true);
      const listed = Object.hasOwn(gaps.cases, name);
      if (passed === listed)
        wrong.push(passed ? `${name}: listed as a gap but passes` : `${name}: ${failed.join('; ')}`);
      met[passed ? 'passed' : 'gaps']++;
    }
    expect(wrong).toEqual([]);
  });

  it('says how many cases pass', () => {
    console.info(
      `Envoy route tables: ${met.passed} passed, ${met.gaps} known gaps, ${skippedChecks.size} kinds of checks not evaluated`,
    );
    expect(met.passed).toBeGreaterThan(0);
  });
});

describe.skipIf(!present)('route configurations that Envoy refuses (skipped without the corpora)', () => {
  const file = join(corpora, 'envoy-route-config/invalid-configs.json');
  const cases = present
    ? (JSON.parse(readFileSync(file, 'utf8')) as { cases: { id: string; config: JsonValue }[] }).cases
    : [];

  it.each(cases)('$id', ({ id, config }) => {
    let refusal: string | undefined;
    try {
      ({ refusal } = load(JSON.stringify(config)));
    } catch (cause) {
      refusal = String(cause);
    }
    expect(refusal === undefined).toBe(Object.hasOwn(gaps.invalid, id));
  });
});
