// The application behind every data plane: it does what the request's x-echo header says, and remembers what it saw by the call's id.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type Attempt, digest, headersOf } from './observation.js';

export class EchoRecorder {
  readonly #attempts = new Map<string, Attempt[]>();

  /** The application of one workload. */
  application(workload: string) {
    return (request: IncomingMessage, response: ServerResponse): void => {
      const id = String(request.headers['x-call']);
      const attempts = this.#attempts.get(id) ?? [];
      this.#attempts.set(id, attempts);
      const at = attempts.length;
      const { method = '', url = '', rawHeaders } = request;
      // Counted when it arrives: a caller may leave before its body is complete.
      attempts.push({ workload, method, url, headers: headersOf(rawHeaders), body: '(incomplete)' });
      const answers = String(request.headers['x-echo'] ?? '200').split(',');
      const answer = answers[Math.min(at, answers.length - 1)] ?? '200';
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('error', () => undefined);
      if (answer === 'reset-early') return void request.socket.destroy();
      request.on('end', () => {
        attempts[at] = { ...(attempts[at] as Attempt), body: digest(Buffer.concat(chunks)) };
        reply(answer, `${workload} ${method} ${url}`, request, response);
      });
    };
  }

  /** What the upstreams saw of a call; it is forgotten. */
  take(id: string): readonly Attempt[] {
    const attempts = this.#attempts.get(id) ?? [];
    this.#attempts.delete(id);
    return attempts;
  }
}

function reply(answer: string, line: string, request: IncomingMessage, response: ServerResponse): void {
  const extra = request.headers['x-echo-headers'];
  const headers = extra === undefined ? {} : (JSON.parse(String(extra)) as Record<string, string | string[]>);
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  const [kind = '', argument = ''] = answer.split(':');
  const amount = Number(argument);
  switch (kind) {
    case 'reset':
      return void request.socket.destroy();
    case 'hang':
      return;
    case 'slow':
      return void setTimeout(() => response.end(line), amount).unref();
    case 'half':
      response.writeHead(200, { 'content-length': 1000 });
      response.write('x'.repeat(10));
      return void setTimeout(() => request.socket.destroy(), 50).unref();
    case 'pause':
      response.writeHead(200, { 'content-length': 20 });
      response.write('x'.repeat(10));
      return void setTimeout(() => response.end('y'.repeat(10)), amount).unref();
    case 'big':
      return void response.end(Buffer.alloc(amount, 'b'));
    case 'chunked':
      for (let sent = 0; sent < amount; sent += 1000) response.write(Buffer.alloc(1000, 'c'));
      return void response.end();
    case 'close':
      response.setHeader('connection', 'close');
      return void response.end(line);
    case 'garbage':
      return void request.socket.end('this is no HTTP\r\n\r\n');
    default:
      response.writeHead(Number(kind));
      return void response.end(kind === '204' || kind === '304' ? undefined : line);
  }
}

export async function listenAt(
  application: (i: IncomingMessage, r: ServerResponse) => void,
  host: string,
  port: number,
): Promise<Server> {
  const server = createServer({ keepAliveTimeout: 60_000 }, application);
  server.listen(port, host);
  await once(server, 'listening');
  return server;
}
