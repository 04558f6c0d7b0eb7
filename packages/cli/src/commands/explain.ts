// `heddle explain`: what would happen to a request, offline from a folder (`--mesh`, `--as`) or as a running process sees it (`--admin`).
import type { Explanation, InboundExplanation } from '@heddle/core';
import { askAdmin } from '../admin-client.js';
import type { CommandIo, OutputFormat } from '../command-io.js';
import { EXIT, type ExitCode } from '../exit-code.js';
import { explanationLines } from '../render/explanation.js';

export interface ExplainArguments {
  /** `[METHOD] URL`. */
  readonly request: readonly string[];
  readonly mesh: readonly string[];
  readonly as?: string;
  readonly admin?: string;
  readonly header: Readonly<Record<string, string>>;
  readonly output: OutputFormat;
}

export interface WholeExplanation {
  readonly outbound: Explanation;
  /** What the called workload says of this caller; undefined when it is not known (a running process sees its own configuration only). */
  readonly inbound?: { readonly workload: string; readonly explanation: InboundExplanation } | undefined;
}

/** Exit 0 when the request was explained, whatever its fate; 2 for bad usage; 3 when the process can't be reached. */
export async function explain(args: ExplainArguments, io: CommandIo): Promise<ExitCode> {
  const request = parseRequest(args.request);
  if (request === undefined) return usage(io, 'expected [METHOD] URL, e.g. GET http://ratings:9080/');
  if ((args.mesh.length === 0) === (args.admin === undefined))
    return usage(io, 'give either --mesh PATH with --as, or --admin ADDRESS');
  const whole =
    args.admin === undefined
      ? await offline(args, request, io)
      : await live(args.admin, { ...request, headers: args.header }, io);
  if (typeof whole === 'number') return whole;
  if (args.output === 'json')
    io.out(JSON.stringify({ apiVersion: 'heddle/v1', kind: 'Explanation', ...whole }, null, 2));
  else for (const line of explanationLines(whole)) io.out(line);
  return EXIT.ok;
}

interface CalledRequest {
  readonly method: string;
  readonly url: string;
}

function parseRequest(words: readonly string[]): CalledRequest | undefined {
  const [first, second, ...rest] = words;
  if (rest.length > 0 || first === undefined) return undefined;
  const [method, url] = second === undefined ? ['GET', first] : [first.toUpperCase(), second];
  return /^https?:\/\/[^/]/i.test(url) ? { method, url } : undefined;
}

async function offline(
  args: ExplainArguments,
  request: CalledRequest,
  io: CommandIo,
): Promise<WholeExplanation | ExitCode> {
  if (args.as === undefined) return usage(io, '--mesh needs --as SERVICE[/VERSION], the workload that calls');
  const { explainOffline } = await import('../offline-mesh.js');
  const answer = await explainOffline({ paths: args.mesh, caller: args.as, ...request, headers: args.header });
  if (typeof answer === 'string') return usage(io, answer);
  return answer;
}

async function live(
  admin: string,
  request: CalledRequest & { readonly headers: Readonly<Record<string, string>> },
  io: CommandIo,
): Promise<WholeExplanation | ExitCode> {
  const query = new URLSearchParams({ url: request.url, method: request.method });
  for (const [name, value] of Object.entries(request.headers)) query.append('header', `${name}: ${value}`);
  const answer = await askAdmin(admin, `/explain?${query.toString()}`);
  if (!answer.ok) {
    io.err(`heddle: ${answer.reason}`);
    return EXIT.unreachable;
  }
  return { outbound: answer.body as Explanation };
}

function usage(io: CommandIo, message: string): ExitCode {
  io.err(`heddle explain: ${message}`);
  return EXIT.usage;
}
