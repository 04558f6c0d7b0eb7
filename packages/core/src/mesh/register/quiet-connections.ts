// A script that joined the mesh by --import ends when its own work is done: the mesh's connections to feed and CA don't hold the process.
import { AsyncLocalStorage } from 'node:async_hooks';
import { createRequire } from 'node:module';
import type { ClientHttp2Session } from 'node:http2';

type Connect = (...args: unknown[]) => ClientHttp2Session;

/**
 * Runs `start`; HTTP/2 sessions that it, or anything begun by it, ever opens don't keep the process alive. grpc-js holds the process while a stream is
 * open (Http2Transport.addCall: session.ref), has no option against that, and a subscription is a stream that never ends.
 */
export function withQuietConnections<Result>(start: () => Promise<Result>): Promise<Result> {
  const http2 = createRequire(import.meta.url)('node:http2') as { connect: Connect };
  const mine = new AsyncLocalStorage<true>();
  const connect = http2.connect;
  http2.connect = (...args) => {
    const session = Reflect.apply(connect, http2, args);
    if (mine.getStore() === true) {
      session.unref();
      session.ref = () => undefined;
    }
    return session;
  };
  return mine.run(true, start);
}
