// `heddle check PATH…`: what is wrong with the configuration, before it ships.
import type { Finding, FindingLevel } from '@heddle/config';
import type { CommandIo, OutputFormat } from '../command-io.js';
import { EXIT, type ExitCode } from '../exit-code.js';
import { findingLines, summaryLine } from '../render/findings.js';

export interface CheckArguments {
  readonly paths: readonly string[];
  readonly output: OutputFormat;
  /** The lowest level that makes the command fail. */
  readonly failOn: FindingLevel;
}

const SEVERITY: Record<FindingLevel, number> = { info: 0, warning: 1, error: 2 };

/** Exit 0: nothing at or above `failOn`; 1: findings. A path that can't be read is a finding too. */
export async function check({ paths, output, failOn }: CheckArguments, io: CommandIo): Promise<ExitCode> {
  const { checkConfig, loadPaths } = await import('@heddle/config');
  const loaded = await loadPaths(paths);
  const findings = checkConfig(loaded);
  if (output === 'json') io.out(JSON.stringify(jsonReport(findings, loaded.files), null, 2));
  else {
    for (const line of findingLines(findings)) io.out(line);
    io.err(summaryLine(findings, loaded.files.length));
  }
  return findings.some(({ level }) => SEVERITY[level] >= SEVERITY[failOn]) ? EXIT.findings : EXIT.ok;
}

/** The documented shape of `-o json`. */
function jsonReport(findings: readonly Finding[], files: readonly string[]): object {
  return {
    apiVersion: 'heddle/v1',
    kind: 'CheckReport',
    files,
    findings: findings.map(({ position, ...finding }) => ({
      ...finding,
      line: position?.line,
      column: position?.column,
    })),
  };
}
