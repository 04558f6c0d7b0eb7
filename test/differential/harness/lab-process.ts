// One istiod lab per case, on free ports: istiod's own generation and CA, with the streams for Heddle and those for a stock Envoy.
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { freePort } from '../../support/processes/free-port.js';

export interface LabProcess {
  /** host:port of ADS in plain text, of ADS and CA over TLS, and of the stream for stock Envoys. */
  readonly plain: string;
  readonly secure: string;
  readonly envoy: string;
  /** URL of the debug pages. */
  readonly debug: string;
  readonly logs: () => string;
  stop(): void;
}

export interface LabFiles {
  readonly kubernetes: string;
  readonly istio: string;
  readonly mesh: string;
}

export async function startLab(binary: string, files: LabFiles): Promise<LabProcess> {
  const ports = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
  const [plain, secure, debug, envoy] = ports.map((port) => `127.0.0.1:${port}`) as [string, string, string, string];
  const child = spawn(
    binary,
    ['-grpc', plain, '-tls', secure, '-http', debug, '-envoy', envoy, '-k8s', files.kubernetes, '-config', files.istio, '-mesh', files.mesh], // prettier-ignore
    // No lab outlives its case, whatever happens to it.
    { stdio: ['ignore', 'pipe', 'pipe'], timeout: 180_000, killSignal: 'SIGKILL' },
  );
  // Nothing is pushed where there is nothing of Istio's.
  const logs = await pushed(child, readFileSync(files.istio, 'utf8') === '');
  return { plain, secure, envoy, debug: `http://${debug}`, logs, stop: () => void child.kill('SIGKILL') };
}

/** Resolves when the configuration was pushed; rejects when it was refused or the process ended. */
function pushed(child: ChildProcess, empty: boolean): Promise<() => string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const read = (chunk: Buffer) => {
      text += chunk.toString();
      const ready = text.indexOf('istiodlab ready');
      if (text.includes('config not applied')) reject(new Error(text.slice(text.indexOf('config not applied'))));
      else if (ready >= 0 && (empty || /Version:\S+\/[2-9]/.test(text.slice(ready)))) resolve(() => text);
    };
    child.stdout?.on('data', read);
    child.stderr?.on('data', read);
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`the lab ended with ${String(code)}: ${text.slice(-800)}`)));
  });
}
