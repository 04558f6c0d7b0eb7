// A grpc-js channel whose calls go through the mesh: for `channelOverride` of any generated client.
import { connectivityState } from '@grpc/grpc-js';
import type { ChannelInterface, Deadline } from '@grpc/grpc-js';
import { MeshError } from '@heddle/core/driver';
import type { MeshInternals } from '@heddle/core/driver';
import type { ChannelOptions, ChannelRuntime } from './channel-runtime.js';
import { EndpointSessions } from './endpoint-sessions.js';
import { MeshCall } from './mesh-call.js';

/** What this package needs of a mesh. */
export interface MeshHandle {
  readonly internals: MeshInternals;
}

const DEFAULT_MAX_MESSAGE_BYTES = 4 * 1024 * 1024;

/**
 * A channel to a logical host, `ratings:9080`: each call meets the mesh's route, endpoint, retries, limits and security for it. The credentials that
 * the client itself was made with are not used (pass `credentials.createInsecure()`); call credentials are. Throws MeshError INVALID_REQUEST for a
 * target that is not `host:port`.
 */
export function meshChannel(mesh: MeshHandle, target: string, options: ChannelOptions = {}): ChannelInterface {
  return new MeshChannel(mesh.internals, target, options);
}

class MeshChannel implements ChannelInterface {
  readonly #target: string;
  readonly #runtime: ChannelRuntime;
  readonly #forget: () => void;
  #closed = false;

  constructor(internals: MeshInternals, target: string, options: ChannelOptions) {
    const { host, port } = parseTarget(target);
    const isClosed = () => this.#closed;
    this.#target = target;
    this.#runtime = {
      internals,
      host,
      port,
      sessions: new EndpointSessions(internals.security, internals.clock),
      authority: target.toLowerCase(),
      idempotent: options.idempotent ?? false,
      maxReceiveMessageBytes: options.maxReceiveMessageBytes ?? DEFAULT_MAX_MESSAGE_BYTES,
      get closed() {
        return isClosed();
      },
    };
    this.#forget = internals.onClose((drainMs) => {
      this.#closed = true;
      return this.#runtime.sessions.close(drainMs);
    }, 'outbound');
  }

  /** Calls in flight end; new ones are refused. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#forget();
    void this.#runtime.sessions.close(this.#runtime.internals.settings.drainMs);
  }

  getTarget(): string {
    return this.#target;
  }

  /** A mesh channel has no one connection: it is READY until it is closed. */
  getConnectivityState(): connectivityState {
    return this.#closed ? connectivityState.SHUTDOWN : connectivityState.READY;
  }

  watchConnectivityState(
    _current: connectivityState,
    deadline: Date | number,
    callback: (error?: Error) => void,
  ): void {
    const atMs = deadline instanceof Date ? deadline.getTime() : deadline;
    const { clock } = this.#runtime.internals;
    if (!Number.isFinite(atMs)) return;
    clock.after(Math.max(0, atMs - clock.wallMs()), () =>
      callback(new Error('Deadline passed without connectivity state change')),
    );
  }

  getChannelzRef(): ReturnType<ChannelInterface['getChannelzRef']> {
    // Not registered with channelz; its enum of kinds is not exported by grpc-js.
    return { kind: 'channel', id: -1, name: this.#target } as unknown as ReturnType<ChannelInterface['getChannelzRef']>;
  }

  createCall(method: string, deadline: Deadline, host: string | null | undefined): MeshCall {
    return new MeshCall(this.#runtime, method, deadline, host);
  }
}

function parseTarget(target: string): { readonly host: string; readonly port: number } {
  const [, bracketed, plain, port] = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+)):(\d{1,5})$/i.exec(target) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined || Number(port) > 65_535 || Number(port) === 0)
    throw new MeshError('INVALID_REQUEST', `expected a target host:port, got ${JSON.stringify(target.slice(0, 200))}`);
  return { host: host.toLowerCase(), port: Number(port) };
}
