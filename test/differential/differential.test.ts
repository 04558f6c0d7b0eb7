// The same requests through Envoy and through Heddle, both fed by istiod: a caller must not be able to tell them apart.
import { describe, expect, it } from 'vitest';
import { envoyBinary } from '../support/parts/envoy.js';
import { caseNames, loadCase } from './harness/case-file.js';
import { runCase } from './harness/run-case.js';
import { istiodLabBinary } from './istiod/istiod-lab.js';

const lab = istiodLabBinary();
const envoy = envoyBinary();

describe.skipIf(lab === undefined || !envoy.available)('as Envoy (needs the istiod lab and Envoy)', () => {
  for (const name of caseNames()) {
    const file = loadCase(name);
    it.skipIf(file === undefined)(`${name}: ${file?.about ?? 'needs the corpora'}`, { timeout: 120_000 }, async () => {
      if (file === undefined || lab === undefined || !envoy.available) return;
      const results = await runCase(file, { lab, envoy: envoy.value });
      expect(results.length).toBe(file.requests.length);
      expect(results.filter(({ differences }) => differences.length > 0)).toEqual([]);
    });
  }
});
