// Checking configuration: what reading found, plus what analysis finds in how the objects fit together.
import type { ConfigObject } from '../model/config-object.js';
import type { Finding } from '../model/finding.js';
import type { LoadedConfig } from '../model/loaded-config.js';
import { loadPaths } from '../load/load.js';
import type { LoadOptions } from '../load/loading.js';
import type { MeshNames } from './config-view.js';
import { ConfigView, defaultMeshNames } from './config-view.js';
import { meshAnalyzers, objectAnalyzers } from './registry.js';
import { collectInto } from './report.js';

export interface CheckOptions extends LoadOptions, Partial<MeshNames> {}

/** All findings of reading and analysis, sorted by file, line and column. Pure. */
export function checkConfig(loaded: LoadedConfig, options: CheckOptions = {}): Finding[] {
  const findings = [...loaded.findings];
  const report = collectInto(findings);
  // Objects with other faults than wrong types are analysed too, so that one pass names everything.
  const readable = loaded.rejected.filter((rejected) => rejected.wellTyped).map((rejected) => rejected.object);
  const names: MeshNames = {
    clusterDomain: options.clusterDomain ?? defaultMeshNames.clusterDomain,
    rootNamespace: options.rootNamespace ?? defaultMeshNames.rootNamespace,
  };
  const view = new ConfigView([...loaded.objects, ...readable], loaded.unread, names);
  for (const analyzer of meshAnalyzers) analyzer.analyze(view, report);
  return findings.sort(byPlace);
}

/** All findings of objects that were built in code, each alone and all together. Pure. */
export function checkObjects(objects: readonly ConfigObject[], names: Partial<MeshNames> = {}): Finding[] {
  const findings: Finding[] = [];
  const view = new ConfigView(objects);
  for (const analyzer of objectAnalyzers) analyzer.analyze(view, collectInto(findings));
  return checkConfig({ objects, rejected: [], unread: [], findings, files: [] }, names);
}

/** Reads files and folders and checks them. Never rejects for what is in them. */
export async function checkPaths(paths: readonly string[], options?: CheckOptions): Promise<Finding[]> {
  return checkConfig(await loadPaths(paths, options), options);
}

function byPlace(a: Finding, b: Finding): number {
  return (
    compare(a.file ?? '', b.file ?? '') ||
    (a.position?.line ?? 0) - (b.position?.line ?? 0) ||
    (a.position?.column ?? 0) - (b.position?.column ?? 0) ||
    compare(a.code, b.code)
  );
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
