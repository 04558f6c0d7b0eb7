// Runs one command line against the given outside world; the whole CLI as a function.
import { CommanderError } from 'commander';
import type { CommandIo } from './command-io.js';
import { EXIT, type ExitCode } from './exit-code.js';
import { buildProgram, exitCodeOfUsage } from './program.js';

/** Resolves to the exit code; usage errors are printed and answered with 2. */
export async function runCli(args: readonly string[], io: CommandIo): Promise<ExitCode> {
  let chosen: Promise<ExitCode> = Promise.resolve(EXIT.usage);
  try {
    buildProgram(io, (code) => {
      chosen = code;
    }).parse([...args], { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) return exitCodeOfUsage(error);
    throw error;
  }
  return chosen;
}
