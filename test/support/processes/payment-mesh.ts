// The payment-service example with real processes: the feed over a temporary folder, two instances of v1, one of v2, and its callers.
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startFeed, type FeedProcess } from './feed-process.js';
import { freePort } from './free-port.js';
import { startService, type MeshProcess } from './mesh-process.js';
import type { Instance } from './payment-workloads.js';

const examples = 'test/e2e/payment-service';
const fault = `    - fault:
        delay:
          percentage:
            value: 10
          fixedDelay: 500ms
        abort:
          percentage:
            value: 5
          httpStatus: 503
`;

export interface PaymentMesh {
  readonly folder: string;
  readonly feed: FeedProcess;
  readonly instances: readonly Instance[];
  readonly port: number;
  readonly v1: readonly [MeshProcess, MeshProcess];
  readonly v2: MeshProcess;
  readonly all: readonly MeshProcess[];
  /** Starts a caller with this service account. */
  caller(serviceAccount: string): Promise<MeshProcess>;
  /** Pastes the fault block into the VirtualService. */
  pasteFault(): Promise<void>;
  stop(): Promise<void>;
}

/** `network` is the first three numbers of the loopback addresses, for this test only. */
export async function startPaymentMesh(
  network: string,
  workloads: (instances: readonly Instance[], port: number) => readonly object[],
  files: readonly string[],
): Promise<PaymentMesh> {
  const folder = await mkdtemp(join(tmpdir(), 'heddle-payment-'));
  const instances: readonly [Instance, Instance, Instance] = [
    { name: 'payment-service-v1-0', version: 'v1', ip: `${network}.11` },
    { name: 'payment-service-v1-1', version: 'v1', ip: `${network}.12` },
    { name: 'payment-service-v2-0', version: 'v2', ip: `${network}.21` },
  ];
  const port = await freePort(instances[0].ip);
  const text = workloads(instances, port).map((object) => JSON.stringify(object, null, 2));
  await writeFile(join(folder, 'workloads.yaml'), text.join('\n---\n'));
  for (const file of files) await copyFile(join(examples, file), join(folder, file));
  const feed = await startFeed(folder);
  const started: MeshProcess[] = [];
  const stop = async () => {
    await Promise.all(started.map((child) => child.stop()));
    await feed.stop();
    await rm(folder, { recursive: true, force: true });
  };
  const start = async (options: Partial<Instance> & { service: string; name: string; ip: string; port?: number }) => {
    const child = await startService({ namespace: 'production', feed: `xds://${feed.address}`, ...options });
    started.push(child);
    return child;
  };
  try {
    const serve = (instance: Instance) => start({ ...instance, service: 'payment-service', port });
    const [first, second, v2] = await Promise.all([serve(instances[0]), serve(instances[1]), serve(instances[2])]);
    const caller = (name: string) =>
      start({ service: name, name: `${name}-0`, ip: `${network}.${31 + started.length}` });
    const pasteFault = async () => {
      const routing = await readFile(join(examples, 'routing.yaml'), 'utf8');
      await writeFile(join(folder, 'routing.yaml'), routing.replace('    - route:\n', `${fault}      route:\n`));
    };
    const v1 = [first, second] as const;
    return { folder, feed, instances, port, v1, v2, all: [...v1, v2], caller, pasteFault, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
