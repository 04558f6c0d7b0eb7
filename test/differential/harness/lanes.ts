// The ways that one request can take, the first of which is by Envoy alone: what the others are compared with.
import type { CaseRequest } from './case-file.js';
import { sendByMesh } from './mesh-call.js';
import type { Observation } from './observation.js';
import type { Planes } from './planes.js';
import type { RawClient } from './raw-call.js';
import { type Answer } from './raw-call.js';
import { CALLERS, PORT, SERVERS, type Lane } from './world.js';

export interface LaneRun {
  readonly name: string;
  send(id: string): Promise<Observation>;
}

export function lanesOf(call: CaseRequest, planes: Planes, raw: RawClient): readonly LaneRun[] {
  const run = (name: string, send: (id: string) => Promise<Answer>): LaneRun => ({
    name,
    send: async (id) => {
      const startMs = performance.now();
      const answer = await send(id);
      return { ...answer, elapsedMs: performance.now() - startMs, attempts: planes.recorder.take(id) };
    },
  });
  const byCaller = (caller: Lane, request: CaseRequest) => (id: string) =>
    caller === 'h'
      ? sendByMesh(planes.caller, request, id)
      : raw.send(request, id, { host: CALLERS.e, port: portOf(request.url) });
  switch (call.via ?? 'outbound') {
    case 'outbound':
      return [run('envoy', byCaller('e', call)), run('heddle', byCaller('h', call))];
    case 'direct':
      return (['e', 'h'] as const).map((lane) =>
        run(lane === 'e' ? 'envoy' : 'heddle', direct(call, planes, raw, lane)),
      );
    case 'chain':
      return PAIRS.map(([caller, server]) => {
        const request = { ...call, url: call.url.replace('//server', `//server-${server}`) };
        const name = `${caller === 'e' ? 'envoy' : 'heddle'} -> ${server === 'e' ? 'envoy' : 'heddle'}`;
        return run(name, byCaller(caller, request));
      });
  }
}

const PAIRS: readonly (readonly [Lane, Lane])[] = [['e', 'e'], ['e', 'h'], ['h', 'e'], ['h', 'h']]; // prettier-ignore

function direct(call: CaseRequest, planes: Planes, raw: RawClient, lane: Lane) {
  return async (id: string): Promise<Answer> => {
    const target = { host: SERVERS[lane], port: PORT };
    if (call.identity === undefined) return raw.send(call, id, target);
    const { cert, key, root } = await planes.certificate(call.identity === 'none' ? 'default/nobody' : call.identity);
    const tls = { cert: call.identity === 'none' ? '' : cert, key, ca: root, alpn: call.alpn ?? ['istio'] };
    return raw.send(call, id, { ...target, tls });
  };
}

function portOf(url: string): number {
  return Number(/^https?:\/\/[^/?#]*:(\d+)/.exec(url)?.[1] ?? 80);
}
