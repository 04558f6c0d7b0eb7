// The bundle reads descriptors in a way of its own (bundle/descriptor-reader.js): they have to be those that the library reads.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createRegistry, type DescFile, equals, toBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import * as xds from '@heddle/xds';
import { expect, it } from 'vitest';

/** Every file that a type of the bundle is of, and what those import, by name. */
function bundledFiles(): ReadonlyMap<string, DescFile> {
  const found = new Map<string, DescFile>();
  const add = (file: DescFile): void => {
    if (found.has(file.proto.name)) return;
    found.set(file.proto.name, file);
    file.dependencies.forEach(add);
  };
  for (const part of Object.values(xds) as unknown[])
    if (typeof part === 'object' && part !== null && 'kind' in part && part.kind === 'message')
      add((part as xds.DescMessage).file);
  return found;
}

/** The files of the generated code, as the library reads them. */
async function generatedFiles(): Promise<readonly DescFile[]> {
  const folder = join(import.meta.dirname, 'gen');
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('_pb.ts'));
  const modules = await Promise.all(names.map((name) => import(join(folder, name)) as Promise<object>));
  return modules.flatMap((module) =>
    Object.values(module).filter((part): part is DescFile => (part as { kind?: unknown }).kind === 'file'),
  );
}

it('the bundle has the descriptors of the generated code, with each option that is set and no other', async () => {
  const bundled = bundledFiles();
  const generated = (await generatedFiles()).filter(({ proto }) => bundled.has(proto.name));
  expect(generated.length).toBeGreaterThan(60);
  for (const { proto } of generated) {
    const own = bundled.get(proto.name)!.proto;
    expect(
      equals(FileDescriptorProtoSchema, own, proto, { registry: createRegistry(), unknown: true }),
      proto.name,
    ).toBe(true);
    expect(toBinary(FileDescriptorProtoSchema, own)).toEqual(toBinary(FileDescriptorProtoSchema, proto));
  }
}, 20_000);
