// `heddle feed PATH…`: the shared feed in the foreground: ADS, client status and the development CA on one port.
import { once } from 'node:events';
import { createDevCa, folderSource, startFeedServer, type FeedLog } from '@heddle/feed';
import type { CommandIo, OutputFormat } from '../command-io.js';
import { EXIT, type ExitCode } from '../exit-code.js';

export interface FeedArguments {
  readonly paths: readonly string[];
  readonly listen: string;
  readonly caDir?: string;
  readonly caTokenFile?: string;
  readonly trustDomain: string;
  readonly ca: boolean;
  readonly output: OutputFormat;
}

/** Runs until SIGINT or SIGTERM (exit 0). Exit 2 for an address that can't be had or a CA folder that can't be used. */
export async function feed(args: FeedArguments, io: CommandIo): Promise<ExitCode> {
  const reason = refusedAddress(args);
  if (reason !== undefined) {
    io.err(`heddle feed: ${reason}`);
    return EXIT.usage;
  }
  try {
    const ca = args.ca
      ? await createDevCa({ dir: args.caDir, tokenFile: args.caTokenFile, trustDomain: args.trustDomain })
      : undefined;
    const server = await startFeedServer({
      source: folderSource(args.paths),
      listen: args.listen,
      services: ca === undefined ? [] : [ca.service],
      settings: { trustDomain: args.trustDomain },
      log: feedLog(args.output, io),
    });
    io.out(startLine(args, server.address));
    if (!io.interrupted.aborted) await once(io.interrupted, 'abort');
    await server.close();
    return EXIT.ok;
  } catch (error) {
    io.err(`heddle feed: ${error instanceof Error ? error.message : String(error)}`);
    return EXIT.usage;
  }
}

/** The CA trusts callers of its own host; further away it needs a secret. */
function refusedAddress({ listen, ca, caTokenFile }: FeedArguments): string | undefined {
  const match = /^(.+):(\d{1,5})$/.exec(listen);
  if (match === null) return `--listen: expected host:port, got "${listen}"`;
  const loopback = /^(127\.|localhost$|\[::1\]$)/.test(match[1] ?? '');
  if (loopback || !ca || caTokenFile !== undefined) return undefined;
  return `--listen ${listen} is reachable from other hosts: give --ca-token-file, or --no-ca`;
}

function startLine({ paths, ca, output, trustDomain }: FeedArguments, address: string): string {
  if (output === 'json') return JSON.stringify({ event: 'listening', address, paths, ca: ca ? trustDomain : null });
  return `listening on ${address}: ${paths.join(', ')}${ca ? `, development CA for ${trustDomain}` : ''}`;
}

function feedLog(output: OutputFormat, io: CommandIo): FeedLog {
  const logAt = (level: string) => (fields: object, message: string) => {
    if (output === 'json') io.err(JSON.stringify({ level, ...fields, msg: message }));
    else io.err(`${level}: ${message}${fieldsText(fields)}`);
  };
  return { info: logAt('info'), warn: logAt('warn'), error: logAt('error') };
}

function fieldsText(fields: object): string {
  const parts = Object.entries(fields).map(
    ([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  return parts.length === 0 ? '' : ` (${parts.join(' ')})`;
}
