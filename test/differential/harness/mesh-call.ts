// A call through a Heddle mesh, by its dispatcher, which sends paths and headers as they are.
import { Readable } from 'node:stream';
import type { Mesh } from '@heddle/core';
import type { CaseRequest } from './case-file.js';
import { digest, headersOfObject } from './observation.js';
import { type Answer, LIMIT_MS, NO_ANSWER, authorityOf, bodyOf, controlHeaders, pathOf } from './raw-call.js';

export async function sendByMesh(mesh: Mesh, call: CaseRequest, id: string): Promise<Answer> {
  const body = bodyOf(call);
  const headers = controlHeaders(call, id);
  if (call.host !== undefined) headers.push(['host', call.host]);
  try {
    const response = await mesh.dispatcher.request({
      origin: `http://${authorityOf(call.url)}`,
      path: pathOf(call.url),
      method: call.method ?? 'GET',
      headers: headers.flat(),
      signal: AbortSignal.timeout(LIMIT_MS),
      body: body === undefined ? null : call.chunked === true ? Readable.from([body]) : body,
    });
    const { statusCode: status } = response;
    const seen = headersOfObject(response.headers);
    try {
      const text = digest(Buffer.from(await response.body.arrayBuffer()));
      return { status, headers: seen, body: text, end: 'complete' };
    } catch {
      return { status, headers: seen, body: '', end: 'broken-body' };
    }
  } catch (error) {
    return { ...NO_ANSWER, body: process.env['DIFFERENTIAL_ERRORS'] === undefined ? '' : String(error) };
  }
}
