// Responses from parts that are encoded once. Protobuf fields may stand in any order, so a response is its head followed by
// ready-made `resources` fields (number 2 in DiscoveryResponse and in DeltaDiscoveryResponse).
import {
  AnySchema,
  DeltaDiscoveryResponseSchema,
  DiscoveryResponseSchema,
  type RawResource,
  ResourceSchema,
  create,
  toBinary,
} from '@heddle/xds';

/** How a response carries a resource: as Resource with name and version (delta), or as bare Any (state of the world). */
export type ResourceField = 'delta' | 'sotw';

const RESOURCES_TAG = (2 << 3) | 2;

export function resourceField(kind: ResourceField, { typeUrl, name, version, bytes }: RawResource): Buffer {
  const any = create(AnySchema, { typeUrl, value: bytes });
  const body =
    kind === 'sotw'
      ? toBinary(AnySchema, any)
      : toBinary(ResourceSchema, create(ResourceSchema, { name, version, resource: any }));
  return Buffer.concat([Buffer.from([RESOURCES_TAG, ...varint(body.byteLength)]), body]);
}

export interface ResponseHead {
  readonly version: string;
  readonly typeUrl: string;
  readonly nonce: string;
  /** Delta only. */
  readonly removed: readonly string[];
}

export function encodeResponse(kind: ResourceField, head: ResponseHead, fields: readonly Buffer[]): Buffer {
  const { version, typeUrl, nonce, removed } = head;
  const bytes =
    kind === 'sotw'
      ? toBinary(DiscoveryResponseSchema, create(DiscoveryResponseSchema, { versionInfo: version, typeUrl, nonce }))
      : toBinary(
          DeltaDiscoveryResponseSchema,
          create(DeltaDiscoveryResponseSchema, {
            systemVersionInfo: version,
            typeUrl,
            nonce,
            removedResources: [...removed],
          }),
        );
  return Buffer.concat([bytes, ...fields]);
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 0x7f) {
    bytes.push((rest & 0x7f) | 0x80);
    rest = Math.floor(rest / 128);
  }
  return [...bytes, rest];
}
