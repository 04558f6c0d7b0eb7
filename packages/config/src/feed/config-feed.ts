// Feeds over configuration in this process: typed objects, or files that are watched.
import type { Feed, FeedConnection, FeedNode, FeedSink, RejectedResource } from '@heddle/xds';
import { checkObjects } from '../analyze/check.js';
import { messages } from '../analyze/messages.js';
import { makeFinding } from '../analyze/report.js';
import type { ConfigObject } from '../model/config-object.js';
import type { Finding } from '../model/finding.js';
import type { MeshSettings } from '../view/mesh-settings.js';
import { ConfigConnection } from './config-connection.js';
import { type ConfigEdition, FileSource } from './file-source.js';
import { MeshTranslator } from './mesh-translator.js';

export interface FeedDiagnostics {
  /** False when the edit was refused and the former configuration stays in force. */
  readonly inForce: boolean;
  readonly findings: readonly Finding[];
}

export interface ConfigFeedOptions {
  /** Settings that Istio keeps in MeshConfig. */
  readonly settings?: Partial<MeshSettings>;
  /** Called for each edition that has findings. Default: errors become a process warning. */
  readonly onDiagnostics?: (diagnostics: FeedDiagnostics) => void;
  /** Files are looked at again this often even without an event; default 2,000. */
  readonly pollIntervalMs?: number;
  /** An edit is read when nothing has changed for so long; default 30. */
  readonly debounceMs?: number;
}

/** A feed of typed objects that may be replaced as a whole. */
export interface ObjectFeed extends Feed {
  /** Puts other objects in force, for every open connection. */
  replace(objects: readonly ConfigObject[]): void;
}

/** A feed over objects built in code. */
export function configFeed(objects: readonly ConfigObject[], options?: ConfigFeedOptions): ObjectFeed;
/** A feed over files and folders; the same as `folderFeed`. */
export function configFeed(paths: readonly string[], options?: ConfigFeedOptions): Feed;
export function configFeed(source: readonly ConfigObject[] | readonly string[], options: ConfigFeedOptions = {}): Feed {
  return isPaths(source) ? folderFeed(source, options) : objectFeed(source, options);
}

function isPaths(source: readonly ConfigObject[] | readonly string[]): source is readonly string[] {
  return typeof source[0] === 'string';
}

function objectFeed(initial: readonly ConfigObject[], options: ConfigFeedOptions): ObjectFeed {
  const diagnosed = (next: readonly ConfigObject[]) =>
    options.onDiagnostics === undefined ? [] : checkObjects(next, options.settings);
  const open = new Set<(objects: readonly ConfigObject[]) => void>();
  let objects = initial;
  return {
    name: 'objects',
    open(node, sink) {
      const { connection, put } = openConnection(node, sink, options, () => open.delete(putChecked));
      const putChecked = (next: readonly ConfigObject[]): void => put(next, diagnosed(next));
      open.add(putChecked);
      putChecked(objects);
      return connection;
    },
    replace(next) {
      objects = next;
      for (const put of open) put(next);
    },
  };
}

/**
 * A feed over files and folders of YAML or JSON. Files are read at once when the feed is opened, then watched. An edition with
 * an error is refused as a whole: the former one stays in force, or, at the start, nothing is served until the error is mended.
 */
export function folderFeed(paths: readonly string[], options: ConfigFeedOptions = {}): Feed {
  return {
    name: `files ${paths.join(', ')}`,
    open(node, sink) {
      const source = new FileSource(paths, { ...options, analyse: options.onDiagnostics !== undefined });
      const { connection, put } = openConnection(node, sink, options, () => source.close());
      source.start((edition) => putEdition(edition, put, sink, options));
      return connection;
    },
  };
}

/** The feed that a path in HEDDLE_FEED means. */
export function openConfigFeed(paths: readonly string[]): Feed {
  return folderFeed(paths);
}

/** The data plane refused a resource that was translated; its last good one stays in force. */
function refusedFinding({ name, message }: RejectedResource): Finding {
  return makeFinding(messages.resourceRefused, { file: undefined }, { name, reason: message });
}

type Put = (objects: readonly ConfigObject[], findings?: readonly Finding[]) => void;

function openConnection(
  node: FeedNode,
  sink: FeedSink,
  options: ConfigFeedOptions,
  onClose: () => void,
): { connection: FeedConnection; put: Put } {
  const connection = new ConfigConnection(sink, onClose, (rejected) =>
    tell(options, { inForce: true, findings: rejected.map(refusedFinding) }),
  );
  const translator = new MeshTranslator(node, options.settings);
  const put: Put = (objects, findings = []) => {
    const translated = translator.translate(objects);
    tell(options, { inForce: true, findings: [...findings, ...translated.findings] });
    sink.onState({ phase: 'connected' });
    connection.replace(translated.resources);
  };
  return { connection, put };
}

function putEdition(edition: ConfigEdition, put: Put, sink: FeedSink, options: ConfigFeedOptions): void {
  if (edition.kind === 'good') return put(edition.objects, edition.findings);
  tell(options, { inForce: false, findings: edition.findings });
  if (edition.first)
    sink.onState({
      phase: 'disconnected',
      reason: reasonOf(edition.findings),
      retryInMs: edition.retryInMs,
      fault: 'configuration',
    });
}

function reasonOf(findings: readonly Finding[]): string {
  const errors = findings.filter((finding) => finding.level === 'error');
  const [first] = errors;
  const place = first?.file === undefined ? '' : `${first.file}:${first.position?.line ?? 1}: `;
  const rest = errors.length > 1 ? ` (and ${errors.length - 1} more errors)` : '';
  return `the configuration has errors: ${place}${first?.message ?? 'no file could be read'}${rest}`;
}

function tell(options: ConfigFeedOptions, diagnostics: FeedDiagnostics): void {
  if (diagnostics.findings.length === 0) return;
  if (options.onDiagnostics !== undefined) return options.onDiagnostics(diagnostics);
  if (diagnostics.inForce) return;
  process.emitWarning(
    `${reasonOf(diagnostics.findings)}; the former configuration stays in force`,
    'HeddleConfigWarning',
  );
}
