// A temporary folder of configuration that a feed serves, written whole files at a time as an editor or a deployment would.
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface MeshFolder {
  readonly path: string;
  /** Text as it is, objects as JSON documents (which are YAML). Replaces the file at once. */
  write(file: string, content: string | readonly object[]): Promise<void>;
  remove(): Promise<void>;
}

export async function meshFolder(): Promise<MeshFolder> {
  const path = await mkdtemp(join(tmpdir(), 'heddle-mesh-'));
  const write = async (file: string, content: string | readonly object[]) => {
    const text =
      typeof content === 'string' ? content : content.map((object) => JSON.stringify(object, null, 2)).join('\n---\n');
    const draft = join(path, `.${file}.draft`);
    await writeFile(draft, `${text}\n`);
    await rename(draft, join(path, file));
  };
  return { path, write, remove: () => rm(path, { recursive: true, force: true }) };
}

export interface PodFacts {
  readonly name: string;
  readonly service: string;
  readonly ip: string;
  readonly version?: string;
}

/** A Service on port 80, served by pods on `targetPort`. */
export function serviceWithPods(
  namespace: string,
  service: string,
  targetPort: number,
  pods: readonly PodFacts[],
): object[] {
  return [
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: service, namespace },
      spec: { selector: { app: service }, ports: [{ name: 'http', port: 80, targetPort }] },
    },
    ...pods.map(({ name, ip, version }) => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace, labels: { app: service, ...(version === undefined ? {} : { version }) } },
      spec: { serviceAccountName: service },
      status: { podIP: ip },
    })),
  ];
}

export const strictMutualTls = (namespace: string): object => ({
  apiVersion: 'security.istio.io/v1',
  kind: 'PeerAuthentication',
  metadata: { name: 'default', namespace },
  spec: { mtls: { mode: 'STRICT' } },
});
