// Reads an update in slices: finds what changed, asks the inspector about each changed resource, and gives the event loop back between
// slices, so that a push of thousands of resources stalls no request.
import type { FeedUpdate, RawResource } from '@heddle/xds';
import type { Clock } from '../clock.js';
import type { ResourceInspector, ResourceReference } from './resource-view.js';

/** Longest time spent before the event loop gets its turn. */
export const SLICE_BUDGET_MS = 2;
/** Reading a message of this size took its turn of the event loop already: its resources are inspected in later turns. */
const LARGE_UPDATE_BYTES = 64 * 1024;

export interface InspectedResource {
  readonly resource: RawResource;
  /** Why it is refused; undefined when it is good. */
  readonly refusal: string | undefined;
  readonly references: readonly ResourceReference[];
}

export interface InspectedUpdate {
  readonly update: FeedUpdate;
  readonly changed: readonly InspectedResource[];
  /** Names of resources that came as they are known. */
  readonly unchanged: readonly string[];
}

export interface IntakeParts {
  readonly inspector: ResourceInspector;
  readonly clock: Clock;
  /** Resolves when the event loop has had its turn. */
  readonly yieldTurn: () => Promise<void>;
  readonly isKnown: (resource: RawResource) => boolean;
}

/** Answers at once when the update is small and one slice is enough. */
export function inspectUpdate(update: FeedUpdate, parts: IntakeParts): InspectedUpdate | Promise<InspectedUpdate> {
  const work = inspectSteps(update, parts);
  const runSlice = (): InspectedUpdate | undefined => {
    const untilMs = parts.clock.nowMs() + SLICE_BUDGET_MS;
    for (;;) {
      const step = work.next();
      if (step.done === true) return step.value;
      if (parts.clock.nowMs() >= untilMs) return undefined;
    }
  };
  const runRest = async (): Promise<InspectedUpdate> => {
    for (;;) {
      await parts.yieldTurn();
      const done = runSlice();
      if (done === undefined) continue;
      // What the caller does with a large update takes a turn of its own too.
      await parts.yieldTurn();
      return done;
    }
  };
  return (isLarge(update) ? undefined : runSlice()) ?? runRest();
}

function isLarge({ resources }: FeedUpdate): boolean {
  let sizeBytes = 0;
  for (const { bytes } of resources) if ((sizeBytes += bytes.byteLength) > LARGE_UPDATE_BYTES) return true;
  return false;
}

/** One step a resource for its version (a hash over the bytes); then for those that changed their content, in steps of their own where they are large. */
function* inspectSteps(update: FeedUpdate, parts: IntakeParts): Generator<void, InspectedUpdate, void> {
  const fresh: RawResource[] = [];
  const unchanged: string[] = [];
  for (const resource of update.resources) {
    if (parts.isKnown(resource)) unchanged.push(resource.name);
    else fresh.push(resource);
    yield;
  }
  const changed: InspectedResource[] = [];
  const freshBytes = fresh.reduce((sum, { bytes }) => sum + bytes.byteLength, 0);
  for (const resource of fresh) {
    changed.push(yield* inspect(ownBytes(resource, freshBytes), parts.inspector));
    yield;
  }
  return { update, changed, unchanged };
}

/** A defect of the inspector refuses one resource instead of ending the stream. */
function* inspect(resource: RawResource, inspector: ResourceInspector): Generator<void, InspectedResource, void> {
  try {
    if (inspector.inspect !== undefined) yield* inspector.inspect(resource);
    const refusal = inspector.refusal(resource);
    const references = refusal === undefined ? inspector.references(resource) : [];
    return { resource, refusal, references };
  } catch (error) {
    const type = resource.typeUrl.slice(resource.typeUrl.lastIndexOf('.') + 1);
    const refusal = `${type} ${resource.name}: ${error instanceof Error ? error.message : String(error)}`;
    return { resource, refusal, references: [] };
  }
}

/** Bytes are slices of the whole message. One that is kept out of a large message must not keep all of it in memory. */
function ownBytes(resource: RawResource, keptBytes: number): RawResource {
  if (resource.bytes.buffer.byteLength <= 2 * keptBytes + 4096) return resource;
  const { typeUrl, name, version } = resource;
  return { typeUrl, name, version, bytes: new Uint8Array(resource.bytes) };
}
