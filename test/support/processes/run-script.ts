// A few lines of an application, run by Node on the built packages to their own end.
import { execFile } from 'node:child_process';

export interface ScriptResult {
  /** Null when the script had to be killed because it did not end by itself. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export function runScript(
  code: string,
  env: Readonly<Record<string, string>> = {},
  timeoutMs = 20_000,
): Promise<ScriptResult> {
  const options = { timeout: timeoutMs, env: { PATH: process.env['PATH'], ...env } };
  return new Promise((done) => {
    execFile(process.execPath, ['--input-type=module', '--eval', code], options, (error, stdout, stderr) => {
      const exit = error === null ? 0 : typeof error.code === 'number' ? error.code : null;
      done({ code: exit, stdout, stderr });
    });
  });
}
