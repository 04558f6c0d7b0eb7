// The command line: what each command takes, in commander's words. Parsing only; the work is in commands/.
import { Command, InvalidArgumentError, Option } from 'commander';
import type { CommandIo, OutputFormat } from './command-io.js';
import { EXIT, type ExitCode } from './exit-code.js';

type Run = (code: Promise<ExitCode>) => void;

/** Builds the program. `run` receives the promise of the exit code of the command that was chosen. */
export function buildProgram(io: CommandIo, run: Run): Command {
  const program = new Command('heddle')
    .description('The service mesh inside the Node process: serve, check and explain its configuration.')
    .exitOverride()
    .configureOutput({ writeOut: (text) => io.out(text.trimEnd()), writeErr: (text) => io.err(text.trimEnd()) })
    .showHelpAfterError('(heddle --help lists the commands)');
  addFeed(program, io, run);
  addCheck(program, io, run);
  addExplain(program, io, run);
  addStatus(program, io, run);
  return program;
}

function outputOption(): Option {
  return new Option('-o, --output <format>', 'output format').choices(['table', 'json']).default('table');
}

function addFeed(program: Command, io: CommandIo, run: Run): void {
  program
    .command('feed')
    .description('serve a folder of YAML over ADS (xDS) to any number of workloads, and sign their certificates')
    .argument('<paths...>', 'files or folders of Istio, Gateway API and Kubernetes YAML; watched')
    .option('--listen <address>', 'host:port to listen on', '127.0.0.1:15010')
    .option(
      '--ca-dir <folder>',
      'keeps the root of the development CA across restarts; default: a new root at every start',
    )
    .option(
      '--ca-token-file <file>',
      'shared secret that callers must present for a certificate; needed beyond loopback',
    )
    .option('--trust-domain <name>', 'trust domain of the identities', 'cluster.local')
    .option('--no-ca', 'serve configuration only')
    .addOption(outputOption())
    .action(
      (
        paths: string[],
        options: {
          listen: string;
          caDir?: string;
          caTokenFile?: string;
          trustDomain: string;
          ca: boolean;
          output: OutputFormat;
        },
      ) => {
        run(import('./commands/feed.js').then(({ feed }) => feed({ paths, ...options }, io)));
      },
    );
}

function addCheck(program: Command, io: CommandIo, run: Run): void {
  program
    .command('check')
    .description('find what is wrong with configuration before it ships')
    .argument('<paths...>', 'files or folders')
    .addOption(outputOption())
    .addOption(
      new Option('--fail-on <level>', 'lowest level that makes the command fail')
        .choices(['error', 'warning', 'info'])
        .default('warning'),
    )
    .action((paths: string[], options: { output: OutputFormat; failOn: 'error' | 'warning' | 'info' }) => {
      run(import('./commands/check.js').then(({ check }) => check({ paths, ...options }, io)));
    });
}

function addExplain(program: Command, io: CommandIo, run: Run): void {
  program
    .command('explain')
    .description('say what would happen to a request, decision by decision')
    .argument('<request...>', '[METHOD] URL, e.g. GET http://ratings:9080/')
    .option('--mesh <path>', 'files or folder of configuration; repeatable', collect, [])
    .option('--as <workload>', 'who calls: SERVICE[/VERSION][.NAMESPACE]')
    .option('--admin <address>', 'ask a running process instead: its HEDDLE_ADMIN address')
    .option('-H, --header <header>', 'request header `name: value`; repeatable', collectHeader, {})
    .addOption(outputOption())
    .action(
      (
        request: string[],
        options: { mesh: string[]; as?: string; admin?: string; header: Record<string, string>; output: OutputFormat },
      ) => {
        run(import('./commands/explain.js').then(({ explain }) => explain({ request, ...options }, io)));
      },
    );
}

function addStatus(program: Command, io: CommandIo, run: Run): void {
  program
    .command('status')
    .description('who is connected to a feed and at which version, or the state of one running process')
    .argument('[node]', 'only workloads whose id contains this')
    .option('--feed <address>', 'host:port of the feed')
    .option('--admin <address>', 'HEDDLE_ADMIN address of a running process')
    .addOption(outputOption())
    .action((node: string | undefined, options: { feed?: string; admin?: string; output: OutputFormat }) => {
      run(import('./commands/status.js').then(({ status }) => status({ node, ...options }, io)));
    });
}

function collect(value: string, previous: string[]): string[] {
  return [...previous, value];
}

function collectHeader(value: string, previous: Record<string, string>): Record<string, string> {
  const colon = value.indexOf(':');
  if (colon <= 0) throw new InvalidArgumentError('expected `name: value`.');
  return { ...previous, [value.slice(0, colon).trim().toLowerCase()]: value.slice(colon + 1).trim() };
}

/** The exit code of what commander itself refused or printed. */
export function exitCodeOfUsage(error: { readonly exitCode: number }): ExitCode {
  return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
}
