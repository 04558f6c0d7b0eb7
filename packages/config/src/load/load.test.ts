import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadPaths, loadPathsSync, loadText } from './load.js';

const service = (name: string, extra = '') =>
  `apiVersion: v1\nkind: Service\nmetadata: {name: ${name}}\nspec: {ports: [{port: 80}]}\n${extra}`;
const names = (loaded: { objects: readonly { metadata: { name: string } }[] }) =>
  loaded.objects.map(({ metadata }) => metadata.name);
const found = (loaded: { findings: readonly { name: string }[] }) => loaded.findings.map(({ name }) => name);

describe('loading a text', () => {
  it('reads every document, skips empty ones, and gives each its place', () => {
    const loaded = loadText(`# first\n---\n${service('a')}---\n---\n\n${service('b')}...\n`, 'mesh.yaml');
    expect(names(loaded)).toEqual(['a', 'b']);
    expect(loaded.objects.map(({ source }) => source.position?.line)).toEqual([3, 10]);
    expect(loaded.objects.map(({ order }) => order)).toEqual([0, 1]);
    expect(loaded.files).toEqual(['mesh.yaml']);
  });

  it('opens lists, and places their items', () => {
    const loaded = loadText(
      'apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Service\n  metadata: {name: a}\n  spec:\n    ports:\n    - port: 0\n',
    );
    expect(loaded.rejected.map(({ object }) => object.metadata.name)).toEqual(['a']);
    expect(loaded.findings[0]?.position).toEqual({ line: 9, column: 7 });
    expect(loaded.findings[0]?.field).toBe('spec.ports[0].port');
  });

  it('defaults the namespace, and leaves cluster-scoped objects without', () => {
    const text = `${service('a')}---\napiVersion: v1\nkind: Namespace\nmetadata: {name: prod, namespace: x}\n`;
    expect(loadText(text).objects.map(({ metadata }) => metadata.namespace)).toEqual(['default', '']);
    expect(loadText(text, undefined, { namespace: 'prod' }).objects[0]?.metadata.namespace).toBe('prod');
  });

  it('keeps the top-level fields of an EndpointSlice as its spec, with their places', () => {
    const [slice] = loadText(
      'apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: a}\naddressType: IPv4\nendpoints:\n- addresses: [10.0.0.1]\n',
    ).objects;
    expect(slice?.spec).toEqual({ addressType: 'IPv4', endpoints: [{ addresses: ['10.0.0.1'] }] });
    expect(slice?.source.positionOf(['spec', 'endpoints', 0])).toEqual({ line: 6, column: 3 });
    expect(slice?.source.positionOf(['endpoints', 0, 'addresses'])).toEqual({ line: 6, column: 3 });
  });

  it('keeps the status of a Pod', () => {
    const [pod] = loadText(
      'apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {}\nstatus: {podIP: 10.0.0.1}\n',
    ).objects;
    expect(pod?.status).toEqual({ podIP: '10.0.0.1' });
  });

  it('keeps nothing of a Secret but its name', () => {
    const { unread } = loadText('apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData: {password: hunter2}\n');
    expect(JSON.stringify(unread)).not.toContain('hunter2');
  });

  it('does not count a byte order mark', () => {
    const loaded = loadText('\uFEFFapiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {ports: 1}\n');
    expect(loaded.findings[0]?.position).toEqual({ line: 4, column: 8 });
    expect(loadText('\uFEFFkind: 1\n').findings[0]?.position).toEqual({ line: 1, column: 1 });
  });

  it('expands anchors, aliases and merge keys', () => {
    const text = `apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: a}
spec:
  host: a
  subsets:
  - &one {name: v1, labels: &l {version: v1}}
  - {<<: *one, name: v2}
  - {name: v3, labels: *l}
`;
    expect(loadText(text).objects[0]?.spec).toEqual({
      host: 'a',
      subsets: ['v1', 'v2', 'v3'].map((name) => ({ name, labels: { version: 'v1' } })),
    });
  });

  it('reads keys that are numbers or `__proto__` as plain fields', () => {
    const text =
      'apiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata: {name: a, annotations: {__proto__: x}}\nspec:\n  selector: {matchLabels: {app: a}}\n  portLevelMtls:\n    b: {mode: STRICT}\n    8080: {mode: DISABLE}\n';
    const { findings } = loadText(text);
    expect(findings.map(({ field, position }) => [field, position?.line])).toEqual([['spec.portLevelMtls.b', 7]]);
    expect(({} as Record<string, unknown>)['x']).toBeUndefined();
    const [object] = loadText(text.replace('    b: {mode: STRICT}\n', '')).objects;
    expect(Object.hasOwn(object?.metadata.annotations ?? {}, '__proto__')).toBe(true);
  });

  it('lets the last of two objects of one name be in force', () => {
    const loaded = loadText(service('a') + '---\n' + service('a').replace('80', '81'), 'x.yaml');
    expect(loaded.objects.map(({ spec }) => spec)).toEqual([{ ports: [{ port: 81 }] }]);
    expect(loaded.findings[0]?.message).toBe('replaces the object of the same kind and name at x.yaml:1:1');
  });

  it('refuses an object with a fault, and says whether it can be analysed', () => {
    const loaded = loadText(service('a', 'stauts: {}\n') + '---\n' + service('b').replace('[{port: 80}]', '80'));
    expect(loaded.rejected.map(({ object, wellTyped }) => [object.metadata.name, wellTyped])).toEqual([['b', false]]);
  });
});

describe('limits', () => {
  const bomb =
    'a: &a [1,1,1,1,1,1,1,1,1,1]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\n';

  it('stop a billion laughs', () => expect(found(loadText(bomb))).toEqual(['too-many-nodes']));
  it('stop an alias inside its own anchor', () => expect(found(loadText('a: &a [*a]\n'))).toEqual(['too-deep']));
  it('stop deep nesting before the stack is full', () => {
    expect(found(loadText('['.repeat(50_000) + ']'.repeat(50_000)))).toEqual(['too-deep']);
    expect(found(loadText('['.repeat(50_000)))).toEqual(['too-deep']);
    expect(found(loadText('a: ' + '['.repeat(200) + ']'.repeat(200)))).toEqual(['too-deep']);
  });
  it('stop a stream of documents', () => {
    const loaded = loadText('---\na: 1\n'.repeat(5), 'x.yaml', { limits: { documentsPerFile: 3 } });
    expect(found(loaded)).toEqual(['foreign-document', 'foreign-document', 'foreign-document', 'too-many-documents']);
  });
  it('stop a text that is too long', () => {
    expect(found(loadText(service('a'), 'x.yaml', { limits: { fileSizeBytes: 10 } }))).toEqual(['file-too-large']);
  });
});

describe('loading files and folders', () => {
  let folder = '';
  beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'heddle-load-'))));
  afterEach(() => rmSync(folder, { recursive: true }));
  const write = (name: string, text: string) => writeFileSync(join(folder, name), text);

  it('reads *.yaml, *.yml and *.json below a folder in sorted order', async () => {
    mkdirSync(join(folder, 'b'));
    write('c.yml', service('c'));
    write('b/z.json', JSON.stringify({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'b' }, spec: {} }));
    write('a.yaml', service('a'));
    write('readme.txt', 'not: yaml: at: all');
    const loaded = await loadPaths([folder]);
    expect(names(loaded)).toEqual(['a', 'b', 'c']);
    expect(loaded.files).toEqual(['a.yaml', 'b/z.json', 'c.yml'].map((name) => join(folder, name)));
    expect(loaded.findings).toEqual([]);
    expect(names(loadPathsSync([folder]))).toEqual(['a', 'b', 'c']);
  });

  it('reads a mounted ConfigMap once', () => {
    mkdirSync(join(folder, '..2026_01_01'));
    write('..2026_01_01/mesh.yaml', service('a'));
    symlinkSync('..2026_01_01', join(folder, '..data'));
    symlinkSync('..data/mesh.yaml', join(folder, 'mesh.yaml'));
    const loaded = loadPathsSync([folder, join(folder, 'mesh.yaml')]);
    expect(loaded.files).toEqual([join(folder, 'mesh.yaml')]);
    expect(loaded.findings).toEqual([]);
  });

  it('does not follow links in a circle', () => {
    symlinkSync('.', join(folder, 'again'));
    write('a.yaml', service('a'));
    expect(names(loadPathsSync([folder]))).toEqual(['a']);
  });

  it('says which path is missing, and reads the others', async () => {
    write('a.yaml', service('a'));
    for (const loaded of [
      await loadPaths([join(folder, 'no.yaml'), folder]),
      loadPathsSync([join(folder, 'no.yaml'), folder]),
    ]) {
      expect(names(loaded)).toEqual(['a']);
      expect(loaded.findings.map(({ message }) => message)).toEqual([
        `${join(folder, 'no.yaml')} cannot be read: there is no such file or folder`,
      ]);
    }
  });

  it('does not read a file beyond the size limit', async () => {
    write('a.yaml', service('a'));
    expect(found(await loadPaths([folder], { limits: { fileSizeBytes: 10 } }))).toEqual(['file-too-large']);
    expect(found(loadPathsSync([folder], { limits: { fileSizeBytes: 10 } }))).toEqual(['file-too-large']);
  });
});
