// Istio's metadata exchange at a server: who learns what of whom. Real sockets and certificates.
import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import type { Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { inboundSnapshot, snapshotOf } from '../testing/inbound-fixtures.js';
import { InboundRig, raw, secureOptions, secureSocket } from '../testing/inbound-rig.js';
import { decodePeerMetadata } from '../telemetry/metrics/peer-metadata.js';

const productpage = 'spiffe://cluster.local/ns/default/sa/productpage';
const rig = new InboundRig();
const { serve, workload } = rig;
afterEach(() => rig.close());

/** Answers with the names of the headers that the application saw, in all views. */
const names: RequestListener = (request, response) => {
  const list = request.rawHeaders.filter((_, index) => index % 2 === 0);
  response.end([...list, ...Object.keys(request.headers), ...Object.keys(request.headersDistinct)].join(' '));
};
const told = 'X-Envoy-Peer-Metadata: bWV0YQ==\r\nx-envoy-peer-metadata-id: sidecar~1\r\n';
const request = (headers: string) => `GET / HTTP/1.1\r\nhost: details\r\n${headers}connection: close\r\n\r\n`;

async function answerOf(socket: Socket, text: string): Promise<string> {
  let answer = '';
  socket.setEncoding('latin1').on('data', (chunk: string) => (answer += chunk));
  socket.write(text);
  await once(socket, 'close');
  return answer;
}

describe('metadata of peers', () => {
  test('of a proven one is recorded, kept from the application, and answered in kind', async () => {
    const { port, finished } = await serve(snapshotOf(inboundSnapshot('strict')), names);
    const answer = await answerOf(await secureSocket(port, secureOptions(workload(productpage))), request(told));
    expect((await finished(1)).peerMetadata).toBe('bWV0YQ==');
    const [head = '', body] = answer.split('\r\n\r\n');
    expect(body).not.toMatch(/peer-metadata/i);
    expect(/^x-envoy-peer-metadata-id: (.*)$/m.exec(head)?.[1]).toBe('w.n');
    const own = /^x-envoy-peer-metadata: (.*)$/m.exec(head)?.[1] ?? '';
    expect(decodePeerMetadata(own)).toMatchObject({ workload: 'w', namespace: 'n', cluster: 'c' });
  });

  test('is not answered to a proven one that told nothing', async () => {
    const { port, finished } = await serve(snapshotOf(inboundSnapshot('strict')), names);
    const answer = await answerOf(await secureSocket(port, secureOptions(workload(productpage))), request(''));
    expect(answer).not.toMatch(/peer-metadata/i);
    expect((await finished(1)).peerMetadata).toBe('');
  });

  test('of an anonymous one is neither believed nor shown nor answered', async () => {
    const { port, finished } = await serve(snapshotOf(inboundSnapshot('permissive')), names);
    expect(await raw(port, request(told))).not.toMatch(/peer-metadata/i);
    expect((await finished(1)).peerMetadata).toBe('');
  });
});
