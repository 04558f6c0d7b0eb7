import { describe, expect, it } from 'vitest';
import { loadText } from '../load/load.js';
import type { Finding } from '../model/finding.js';
import { policyCases } from './cases/policy-cases.js';
import { readingCases } from './cases/reading-cases.js';
import { routeCases } from './cases/route-cases.js';
import { supportCases } from './cases/support-cases.js';
import { checkConfig } from './check.js';
import type { ObjectOf } from './config-view.js';
import { ConfigView } from './config-view.js';
import { messages } from './messages.js';
import { meshAnalyzers, objectAnalyzers } from './registry.js';
import type { KindName } from '../schema/spec-types.js';

const cases = [...readingCases, ...routeCases, ...policyCases, ...supportCases];
const table = Object.values(messages);

const analyzers = [...objectAnalyzers, ...meshAnalyzers];
const shown = (finding: Finding) => `${finding.name} ${finding.object ?? '-'} ${finding.position?.line ?? 0}`;

describe('what the checker says', () => {
  for (const { title, yaml, finds, suggests } of cases) {
    it(title, () => {
      const infoNames = finds.map((text) => text.split(' ', 1)[0]);
      const findings = checkConfig(loadText(yaml, 'case.yaml')).filter(
        (finding) => finding.level !== 'info' || infoNames.includes(finding.name),
      );
      expect(findings.map(shown)).toEqual(finds);
      if (suggests !== undefined) expect(findings.map((finding) => finding.suggestion)).toContain(suggests);
      for (const finding of findings) {
        expect(finding.file).toBe('case.yaml');
        expect(finding.message).not.toMatch(/\{\w+\}|undefined/);
      }
    });
  }

  it('says no error about how objects fit together: what is in force depends on each object alone', () => {
    for (const { yaml } of cases) {
      const loaded = loadText(yaml);
      const errors = (findings: readonly Finding[]) =>
        findings
          .filter(({ level }) => level === 'error')
          .map(({ message }) => message)
          .sort();
      expect(errors(checkConfig(loaded))).toEqual(errors(loaded.findings));
    }
  });

  it('names the field before the fault, and where it stands', () => {
    const [finding] = checkConfig(
      loadText(readingCases.find(({ title }) => title === 'a duration without unit')?.yaml ?? '', 'mesh/vs.yaml'),
    );
    expect(finding).toEqual({
      code: 'HED0105',
      name: 'bad-duration',
      level: 'error',
      message: 'spec.http[0].timeout: expected a duration like 10s, got 10',
      object: 'VirtualService default/reviews',
      file: 'mesh/vs.yaml',
      position: { line: 8, column: 5 },
      field: 'spec.http[0].timeout',
      suggestion: 'write `10s` for seconds',
      istioCode: 'IST0106',
    });
  });
});

describe('the table of messages', () => {
  it('gives no code and no name twice', () => {
    expect(new Set(table.map(({ code }) => code)).size).toBe(table.length);
    expect(new Set(table.map(({ name }) => name)).size).toBe(table.length);
  });

  it('has a case for each message', () => {
    const shownInGrid = new Set(cases.flatMap(({ finds }) => finds.map((text) => text.split(' ', 1)[0])));
    // Files and limits are tested in load.test.ts: they need a file system or a limit made small. Findings of translation for a
    // workload and of a running feed: translate/outbound.test.ts and feed/config-feed.test.ts.
    const elsewhere = [
      ...['file-unreadable', 'file-too-large', 'too-many-documents', 'too-many-nodes', 'too-deep'],
      ...['listener-conflict', 'translation-failed', 'resource-refused'],
    ];
    const missing = table.map(({ name }) => name).filter((name) => !shownInGrid.has(name) && !elsewhere.includes(name));
    expect(missing).toEqual([]);
  });
});

describe('the analyzers', () => {
  it('have unique names', () => {
    expect(new Set(analyzers.map(({ name }) => name)).size).toBe(analyzers.length);
  });

  for (const analyzer of analyzers) {
    it(`${analyzer.name} reads what it declares`, () => {
      const read = new Set<KindName>();
      for (const { yaml } of cases) {
        const { objects, rejected, unread } = loadText(yaml);
        const readable = rejected.filter(({ wellTyped }) => wellTyped).map(({ object }) => object);
        const view = new RecordingView([...objects, ...readable], unread);
        view.read = read;
        analyzer.analyze(view, () => undefined);
      }
      expect([...read].sort()).toEqual([...analyzer.inputs].sort());
    });
  }
});

class RecordingView extends ConfigView {
  read = new Set<KindName>();

  override all<K extends KindName>(kind: K): readonly ObjectOf<K>[] {
    this.read.add(kind);
    return super.all(kind);
  }
}
