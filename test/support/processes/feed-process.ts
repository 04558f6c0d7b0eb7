// The built `heddle` binary: its feed as a child process, and one-shot commands with their exit code and output.
import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { Child } from './child.js';

const binary = resolve('packages/cli/dist/main.js');

export interface FeedProcessOptions {
  /** Default: any port of 127.0.0.1. */
  readonly listen?: string;
  /** Keeps the CA's root over restarts. */
  readonly caDir?: string;
}

export interface FeedProcess extends Child {
  readonly address: string;
}

/** Starts `heddle feed FOLDER`; resolves when it listens. */
export async function startFeed(
  folder: string,
  { listen = '127.0.0.1:0', caDir }: FeedProcessOptions = {},
): Promise<FeedProcess> {
  const child = new Child(binary, ['feed', folder, '--listen', listen, ...(caDir ? ['--ca-dir', caDir] : [])]);
  const [, address] = await child.says(/listening on (\S+):\s/).catch(async (error: unknown) => {
    await child.kill();
    throw error;
  });
  return Object.assign(child, { address: address ?? '' });
}

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `heddle ARGS` to its end. */
export function heddle(...args: string[]): Promise<CommandResult> {
  const options = { timeout: 20_000, env: { PATH: process.env['PATH'] } };
  return new Promise((done, reject) => {
    execFile(process.execPath, [binary, ...args], options, (error, stdout, stderr) => {
      const code = error === null ? 0 : error.code;
      if (typeof code === 'number') done({ code, stdout, stderr });
      else reject(new Error(`heddle ${args.join(' ')} did not end by itself`, { cause: error }));
    });
  });
}
