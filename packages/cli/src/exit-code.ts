// The exit codes of every command, in one table (docs/reference/cli.md). The same whatever the output format.

export const EXIT = {
  ok: 0,
  /** Findings at or above --fail-on, or a difference. */
  findings: 1,
  usage: 2,
  unreachable: 3,
  timeout: 4,
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
