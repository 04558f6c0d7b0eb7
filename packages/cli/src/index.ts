// heddle as a function, for tests and tools that embed it.
export { runCli } from './run-cli.js';
export type { CommandIo } from './command-io.js';
export { EXIT, type ExitCode } from './exit-code.js';
