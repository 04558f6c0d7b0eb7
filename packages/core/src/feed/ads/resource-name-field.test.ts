import {
  ClusterLoadAssignmentSchema,
  ClusterSchema,
  ListenerSchema,
  RouteConfigurationSchema,
  SecretSchema,
  create,
  toBinary,
} from '@heddle/xds';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { resourceNameField } from './resource-name-field.js';

it('reads the name of every resource type', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1, unit: 'grapheme' }), (name) => {
      for (const schema of [ClusterSchema, ListenerSchema, RouteConfigurationSchema, SecretSchema]) {
        expect(resourceNameField(toBinary(schema, create(schema, { name })))).toBe(name);
      }
      const assignment = toBinary(
        ClusterLoadAssignmentSchema,
        create(ClusterLoadAssignmentSchema, { clusterName: name }),
      );
      expect(resourceNameField(assignment)).toBe(name);
    }),
  );
});

it('finds a name that does not come first', () => {
  expect(
    resourceNameField(Uint8Array.of(0x18, 5, 0x21, 0, 0, 0, 0, 0, 0, 0, 0, 0x2d, 0, 0, 0, 0, 0x12, 1, 9, 10, 1, 97)),
  ).toBe('a');
});

it('never throws, and reads nothing from bytes without a name', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => void resourceNameField(bytes)));
  expect(resourceNameField(new Uint8Array())).toBeUndefined();
  expect(resourceNameField(Uint8Array.of(10, 0))).toBeUndefined();
  expect(resourceNameField(Uint8Array.of(10, 5, 97))).toBeUndefined();
});
