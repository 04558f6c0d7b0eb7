// `heddle status`: who is connected to a feed and how far each one got, or the state of one running process.
import type { MeshStatus } from '@heddle/core';
import { askAdmin } from '../admin-client.js';
import type { CommandIo, OutputFormat } from '../command-io.js';
import { fetchClientStatus } from '../csds-client.js';
import { EXIT, type ExitCode } from '../exit-code.js';
import { clientsOf, type FeedClient } from '../feed-clients.js';
import { clientLines, processLines } from '../render/status.js';

export interface StatusArguments {
  readonly node: string | undefined;
  readonly feed?: string;
  readonly admin?: string;
  readonly output: OutputFormat;
}

/** Exit 0: all in sync; 1: somebody refused something; 2: wrong usage; 3: nobody answers. */
export async function status(args: StatusArguments, io: CommandIo): Promise<ExitCode> {
  const feed = args.feed ?? feedFromEnvironment(io);
  if (args.admin !== undefined) return processStatus(args.admin, args.output, io);
  if (feed === undefined) {
    io.err('heddle status: give --feed HOST:PORT (or HEDDLE_FEED), or --admin ADDRESS');
    return EXIT.usage;
  }
  let clients: readonly FeedClient[];
  try {
    clients = clientsOf(await fetchClientStatus(feed)).filter(
      ({ node }) => args.node === undefined || node.includes(args.node),
    );
  } catch (error) {
    io.err(`heddle status: ${error instanceof Error ? error.message : String(error)}`);
    return EXIT.unreachable;
  }
  if (args.output === 'json')
    io.out(JSON.stringify({ apiVersion: 'heddle/v1', kind: 'FeedStatus', feed, clients }, null, 2));
  else for (const line of clientLines(clients)) io.out(line);
  return clients.some(({ types }) => types.some(({ state }) => state === 'ERROR')) ? EXIT.findings : EXIT.ok;
}

async function processStatus(admin: string, output: OutputFormat, io: CommandIo): Promise<ExitCode> {
  const answer = await askAdmin(admin, '/status');
  if (!answer.ok) {
    io.err(`heddle status: ${answer.reason}`);
    return EXIT.unreachable;
  }
  const body = answer.body as MeshStatus;
  if (output === 'json') io.out(JSON.stringify({ apiVersion: 'heddle/v1', kind: 'MeshStatus', ...body }, null, 2));
  else for (const line of processLines(body)) io.out(line);
  return body.feed.rejected.length > 0 ? EXIT.findings : EXIT.ok;
}

function feedFromEnvironment({ env }: CommandIo): string | undefined {
  return /^xds:\/\/([^/,]+)/.exec(env['HEDDLE_FEED'] ?? '')?.[1];
}
