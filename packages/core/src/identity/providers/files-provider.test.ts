import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../clock.js';
import { testAuthority } from '../../testing/test-certificates.js';
import type { TestCertificate } from '../../testing/test-certificates.js';
import type { IdentityEvent } from '../identity-store.js';
import { IdentityStore } from '../identity-store.js';
import { createFilesProvider } from './files-provider.js';

const id = 'spiffe://cluster.local/ns/default/sa/reviews';
const authority = testAuthority('cluster.local');
let directory = '';
let store: IdentityStore | undefined;
beforeEach(async () => void (directory = await mkdtemp(join(tmpdir(), 'heddle-identity-'))));
afterEach(async () => {
  store?.close();
  await rm(directory, { recursive: true });
});

async function write(
  pair: TestCertificate,
  into = directory,
  names: readonly [string, string, string] = ['tls.crt', 'tls.key', 'ca.crt'],
): Promise<void> {
  await writeFile(join(into, names[0]), pair.certificateChainPem);
  await writeFile(join(into, names[1]), pair.privateKeyPem);
  await writeFile(join(into, names[2]), authority.rootPem);
}

function open(onEvent: (event: IdentityEvent) => void = () => undefined): IdentityStore {
  store = new IdentityStore({
    provider: createFilesProvider({ directory, clock: systemClock }),
    clock: systemClock,
    onEvent,
  });
  return store;
}

const nextChange = (of: IdentityStore) => new Promise<void>((resolve) => of.onChange(resolve));

test('a pair in the folder is taken under Kubernetes’ names', async () => {
  await write(authority.issue({ spiffeId: id }));
  const opened = open();
  await opened.ready(5000);
  expect(opened.state().svid?.spiffeId).toBe(id);
  expect([...opened.state().bundles.byDomain.keys()]).toEqual(['cluster.local']);
});

test('a pair under Istio’s names that comes after the start is noticed', async () => {
  const opened = open();
  const changed = nextChange(opened);
  const names = ['cert-chain.pem', 'key.pem', 'root-cert.pem'] as const;
  await write(authority.issue({ spiffeId: id }), directory, names);
  await changed;
  expect(opened.state().svid?.spiffeId).toBe(id);
});

test('a swapped symlink, as kubelet does it, rotates the certificate at once', async () => {
  const versions = [authority.issue({ spiffeId: id }), authority.issue({ spiffeId: id })] as const;
  for (const [index, pair] of versions.entries()) {
    await mkdir(join(directory, `..version-${index}`));
    await write(pair, join(directory, `..version-${index}`));
  }
  await symlink('..version-0', join(directory, '..data'));
  for (const name of ['tls.crt', 'tls.key', 'ca.crt']) await symlink(join('..data', name), join(directory, name));
  const opened = open();
  await opened.ready(5000);
  const before = opened.state().svid?.fingerprint;
  const changed = nextChange(opened);
  await symlink('..version-1', join(directory, '..data_tmp'));
  await rename(join(directory, '..data_tmp'), join(directory, '..data'));
  await changed;
  expect(opened.state().svid?.certificateChainPem).toBe(versions[1].certificateChainPem);
  expect(opened.state().svid?.fingerprint).not.toBe(before);
});

test('a half-written pair keeps the previous one in use until its other half comes', async () => {
  const [first, second] = [authority.issue({ spiffeId: id }), authority.issue({ spiffeId: id })];
  await write(first);
  const failed = new Promise<string>((resolve) => {
    open((event) => {
      if (event.kind === 'failed') resolve(event.reason);
    });
  });
  const opened = store!;
  await opened.ready(5000);
  await writeFile(join(directory, 'tls.crt'), second.certificateChainPem);
  expect(await failed).toContain('the private key does not belong to the certificate');
  expect(opened.state().svid?.certificateChainPem).toBe(first.certificateChainPem);
  const changed = nextChange(opened);
  await writeFile(join(directory, 'tls.key'), second.privateKeyPem);
  await changed;
  expect(opened.state().svid?.certificateChainPem).toBe(second.certificateChainPem);
});

test('a folder that is not there fails readiness with its name', async () => {
  await rm(directory, { recursive: true });
  const opened = open();
  await expect(opened.ready(200)).rejects.toThrow(directory);
  await mkdir(directory);
});
