#!/usr/bin/env node
// The `heddle` binary: wires the process to the program and turns its answer into an exit code.
import { CommanderError } from 'commander';
import { runCli } from './run-cli.js';

const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupted.abort());
// `heddle status | head` closes our output early: that is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

try {
  process.exitCode = await runCli(process.argv.slice(2), {
    env: process.env,
    cwd: process.cwd(),
    out: (line) => process.stdout.write(`${line}\n`),
    err: (line) => process.stderr.write(`${line}\n`),
    interrupted: interrupted.signal,
  });
} catch (error) {
  if (!(error instanceof CommanderError))
    process.stderr.write(`heddle: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
