// The two data planes of a case: callers and servers by Envoy and by Heddle, fed by the same istiod.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Mesh, createMesh } from '@heddle/core';
import { freePort } from '../../support/processes/free-port.js';
import { type RunningEnvoy, startEnvoy } from '../../support/parts/envoy.js';
import type { CaseFile } from './case-file.js';
import { EchoRecorder, listenAt } from './echo-server.js';
import { type LabProcess, startLab } from './lab-process.js';
import { type SidecarNode, sidecarBootstrap } from './sidecar-bootstrap.js';
import { CALLERS, PORT, SERVERS, UPSTREAMS, callerLabels, serverLabels } from './world.js';

export interface Planes {
  readonly recorder: EchoRecorder;
  readonly caller: Mesh;
  /** Key pair and root of an identity, NAMESPACE/SERVICEACCOUNT. */
  certificate(identity: string): Promise<Certificate>;
  stop(): Promise<void>;
}

export interface Certificate {
  readonly cert: string;
  readonly key: string;
  readonly root: string;
}

export interface Binaries {
  readonly lab: string;
  readonly envoy: string;
}

/** Starts what the case's requests need; `servers` where any of them goes to one. */
export async function startPlanes(file: CaseFile, binaries: Binaries): Promise<Planes> {
  const folder = mkdtempSync(join(tmpdir(), 'heddle-differential-'));
  const stops: (() => unknown)[] = [() => rmSync(folder, { recursive: true, force: true })];
  const stop = async () => {
    for (const each of stops.splice(0).reverse()) await each();
  };
  try {
    const write = (name: string, text: string) => {
      writeFileSync(join(folder, name), text);
      return join(folder, name);
    };
    const lab = await startLab(binaries.lab, {
      kubernetes: write('kubernetes.yaml', file.kubernetes),
      istio: write('istio.yaml', file.istio),
      mesh: write('mesh.yaml', file.mesh),
    });
    stops.push(() => lab.stop());
    const rootCertFile = write('root.pem', await (await fetch(`${lab.debug}/root-cert.pem`)).text());
    const recorder = new EchoRecorder();
    const start = new Starter({
      file,
      binaries,
      lab,
      recorder,
      stops,
      rootCertFile,
      tokenFile: (name) => write(`token-${name}`, `default/${name}`),
    });
    await Promise.all(Object.entries(UPSTREAMS).map(([pod, host]) => start.upstream(pod, host, PORT)));
    const uses = (...kinds: string[]) => file.requests.some(({ via = 'outbound' }) => kinds.includes(via));
    if (uses('direct', 'chain')) await start.servers();
    if (uses('outbound', 'chain')) await start.envoyCaller();
    const caller = await start.heddle('productpage', CALLERS.h, callerLabels);
    const certificates = new Map<string, Promise<Certificate>>();
    const certificate = (identity: string) => {
      const [namespace = '', account = ''] = identity.split('/');
      const url = `${lab.debug}/cert?ns=${namespace}&sa=${account}`;
      const known = certificates.get(identity) ?? fetch(url).then((answer) => answer.json() as Promise<Certificate>);
      certificates.set(identity, known);
      return known;
    };
    return { recorder, caller, certificate, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

interface StarterInit {
  readonly file: CaseFile;
  readonly binaries: Binaries;
  readonly lab: LabProcess;
  readonly recorder: EchoRecorder;
  readonly stops: (() => unknown)[];
  readonly tokenFile: (account: string) => string;
  readonly rootCertFile: string;
}

class Starter {
  readonly #init: StarterInit;

  constructor(init: StarterInit) {
    this.#init = init;
  }

  async upstream(pod: string, host: string, port: number): Promise<number> {
    const server = await listenAt(this.#init.recorder.application(pod), host, port);
    this.#init.stops.push(() => {
      server.close();
      server.closeAllConnections();
    });
    const address = server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  /** Both servers run the same application, which calls itself `server`. */
  async servers(): Promise<void> {
    const port = await this.upstream('server', '127.0.0.1', 0);
    const labels = serverLabels('e');
    const inbound = { port: PORT, app: `127.0.0.1:${String(port)}` };
    await this.envoy({
      pod: 'server-e',
      serviceAccount: 'server',
      namespace: 'default',
      ip: SERVERS.e,
      labels,
      inbound,
    });
    const mesh = await this.heddle('server', SERVERS.h, serverLabels('h'));
    await mesh.serve(this.#init.recorder.application('server'), PORT, { host: SERVERS.h });
  }

  envoyCaller(): Promise<RunningEnvoy> {
    const common = { serviceAccount: 'productpage', namespace: 'default', labels: callerLabels };
    return this.envoy({ ...common, pod: 'productpage-e', ip: CALLERS.e, outbound: CALLERS.e });
  }

  async envoy(node: SidecarNode): Promise<RunningEnvoy> {
    const admin = `127.0.0.1:${String(await freePort())}`;
    const bootstrap = sidecarBootstrap(node, this.#init.lab.envoy, admin);
    // Base ids are the machine's; the port that nobody has is as unique.
    const envoy = await startEnvoy(this.#init.binaries.envoy, bootstrap, admin, Number(admin.split(':')[1]));
    this.#init.stops.push(() => envoy.stop());
    return envoy;
  }

  async heddle(name: string, ip: string, labels: Readonly<Record<string, string>>): Promise<Mesh> {
    const { file, lab } = this.#init;
    const mesh = await createMesh({
      service: { name, namespace: 'default', labels, serviceAccount: name },
      feed: file.feed === 'xdss' ? `xdss://${lab.secure}` : `xds://${lab.plain}`,
      identity: 'istio-ca',
      caAddress: lab.secure,
      tokenFile: this.#init.tokenFile(name),
      rootCertFile: this.#init.rootCertFile,
      instanceIp: ip,
      podName: `${name}-h`,
      // Envoy's way; Heddle's own is docs/differences.md's first entry.
      retryNonIdempotent: true,
      handleSignals: false,
      log: process.env['DIFFERENTIAL_LOG'] === undefined ? 'silent' : 'debug',
    });
    this.#init.stops.push(() => mesh.close({ drainMs: 0 }));
    return mesh;
  }
}
