// Plain HTTP/1.1 calls to a fixed address under any Host, as a program behind a proxy makes them.
import { Agent, request, type IncomingHttpHeaders } from 'node:http';

export interface PlainAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface PlainCall {
  /** Address and port of the proxy. */
  readonly host: string;
  readonly port: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly times?: number;
}

/** `times` GETs of `/`, eight at once, over kept connections. Rejects when one gets no answer. */
export async function plainCalls({ host, port, headers, times = 1 }: PlainCall): Promise<readonly PlainAnswer[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  const one = () =>
    new Promise<PlainAnswer>((resolve, reject) => {
      request({ host, port, headers, agent, path: '/', timeout: 10_000 }, (response) => {
        let body = '';
        response.setEncoding('utf8').on('data', (text: string) => (body += text));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
        response.on('error', reject);
      })
        .on('error', reject)
        .end();
    });
  try {
    return await Promise.all(Array.from({ length: times }, one));
  } finally {
    agent.destroy();
  }
}
