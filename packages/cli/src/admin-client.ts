// Asks the admin endpoint of a running process (HEDDLE_ADMIN): `127.0.0.1:15000` or `unix:/path`.
import { request } from 'node:http';

export type AdminAnswer =
  { readonly ok: true; readonly body: unknown } | { readonly ok: false; readonly reason: string };

/** Never rejects: a process that can't be reached or answers badly is a reason in words. */
export function askAdmin(admin: string, path: string): Promise<AdminAnswer> {
  return new Promise((resolve) => {
    const fail = (reason: string) => resolve({ ok: false, reason: `admin endpoint ${admin}: ${reason}` });
    const call = request({ ...targetOf(admin), path, timeout: 5_000 }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('error', (error) => fail(error.message));
      response.on('end', () => {
        if (response.statusCode !== 200) return fail(`answered ${String(response.statusCode)}: ${text.trim()}`);
        try {
          resolve({ ok: true, body: JSON.parse(text) });
        } catch {
          fail('answered something that is not JSON');
        }
      });
    });
    call.on('timeout', () => call.destroy(new Error('no answer within 5 s')));
    call.on('error', (error) => fail(error.message));
    call.end();
  });
}

function targetOf(admin: string): { socketPath: string } | { host: string; port: string } {
  if (admin.startsWith('unix:')) return { socketPath: admin.slice(5) };
  const colon = admin.lastIndexOf(':');
  return { host: admin.slice(0, colon).replace(/^\[|\]$/g, ''), port: admin.slice(colon + 1) };
}
