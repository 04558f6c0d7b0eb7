import { describe, expect, it } from 'vitest';
import { callRecord } from '../../testing/call-records.js';
import { VirtualClock } from '../../testing/virtual-clock.js';
import { createTelemetry } from '../create-telemetry.js';
import type { AccessLogSink } from './access-log.js';

function logged(sink: (lines: string[]) => AccessLogSink, changes = {}): string[] {
  const lines: string[] = [];
  const clock = new VirtualClock(Date.UTC(2026, 0, 1));
  clock.advance(2000);
  const telemetry = createTelemetry({
    node: { workload: 'w', namespace: 'n', labels: {}, serviceAccount: 's', clusterId: 'K', trustDomain: 't' },
    ownPrincipal: () => undefined,
    clock,
    draws: () => 0.5,
    accessLog: sink(lines),
  });
  telemetry.outbound.finish(callRecord(changes));
  return lines;
}

describe('the access log', () => {
  it("is a line of Envoy's default format a call, to a logger or a stream", () => {
    const line =
      '[2026-01-01T00:00:01.000Z] "GET /details/0 -" 200 - via_upstream - "-" 120 900 12 - "-" "-" ' +
      '"6b0ea2d6-5f4c-4d35-9c1f-7a4bb4d7e5b0" "details:9080" "127.0.0.2:9080" outbound|9080||details.default.svc.cluster.local ' +
      '- - - - default';
    expect(logged((lines) => ({ info: (text: string) => lines.push(text) }))).toEqual([line]);
    expect(logged((lines) => ({ write: (text: string) => lines.push(text) }))).toEqual([line + '\n']);
  });

  it('prints what drivers know', () => {
    const logFields = {
      httpVersion: 'HTTP/1.1',
      userAgent: 'curl',
      forwardedFor: '10.0.0.1',
      requestedServerName: 'sni',
      upstreamServiceTime: '11',
    };
    const [line] = logged((lines) => ({ write: (text: string) => lines.push(text) }), {
      logFields,
      status: 503,
      flags: 'UF,URX',
    });
    expect(line).toContain('"GET /details/0 HTTP/1.1" 503 UF,URX ');
    expect(line).toContain(' 12 11 "10.0.0.1" "curl" ');
    expect(line).toMatch(/ - - - sni default\n$/);
  });

  it('lets no peer forge a line', () => {
    const lines = logged((all) => ({ write: (text: string) => all.push(text) }), { path: '/a"\n[2026] "GET' });
    expect(lines[0]!.trimEnd()).not.toContain('\n');
    expect(lines[0]).toContain('/a\\x22\\x0a[2026]');
  });

  it('that fails does not fail the call', () => {
    const broken = (): AccessLogSink => ({
      write: () => {
        throw new Error('disk full');
      },
    });
    expect(() => logged(broken)).not.toThrow();
  });
});
