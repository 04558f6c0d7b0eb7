// A case: a mesh as istiod is given it, and the requests that two data planes must answer alike.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import { corpus } from '../../support/config/corpora.js';

export interface CaseRequest {
  readonly name: string;
  /** Path and query are sent byte for byte. In `chain` requests the host `server` stands for either server. */
  readonly url: string;
  /**
   * `outbound` (default): through a client's data plane to a plain upstream. `direct`: from a bare client to a server's data plane.
   * `chain`: through both, in all four combinations.
   */
  readonly via?: 'outbound' | 'direct' | 'chain';
  /** Host header; default the URL's host and port. */
  readonly host?: string;
  readonly method?: string;
  readonly headers?: readonly (readonly [string, string])[];
  readonly body?: string;
  readonly bodyBytes?: number;
  readonly chunked?: boolean;
  /** What the upstream does to the first, second, … attempt; the last one holds: `503`, `reset`, `hang`, `slow:300`, `half`, `big:1000000`, `chunked:1000`, `close`. */
  readonly answers?: string;
  readonly answerHeaders?: Readonly<Record<string, string | readonly string[]>>;
  /** `direct`: identity as NAMESPACE/SERVICEACCOUNT over Istio's TLS, or undefined for plain text. */
  readonly identity?: string;
  readonly alpn?: readonly string[];
  /** Pause before the request: ejections reach Envoy's workers a little later. */
  readonly afterMs?: number;
  /** Repetitions; the answers are then compared as distributions. */
  readonly times?: number;
  readonly concurrency?: number;
  /** With `times`: each answer is compared in its order, nothing is left to chance. */
  readonly inOrder?: boolean;
  /** `service`: the balancer chooses among the service's workloads, so they count as one. */
  readonly upstreams?: 'workload' | 'service';
  /** Allowed difference of times in ms; default 150. */
  readonly toleranceMs?: number;
  /** Differences that are known and meant: names of fields, as the report prints them, with the reason. */
  readonly deviates?: Readonly<Record<string, string>>;
  /** What both must answer, so that two wrong answers are not taken for equal ones. */
  readonly expect?: { readonly status?: number; readonly attempts?: number };
}

export interface CaseFile {
  readonly name: string;
  readonly about: string;
  readonly feed: 'xds' | 'xdss';
  readonly mesh: string;
  readonly kubernetes: string;
  readonly istio: string;
  readonly requests: readonly CaseRequest[];
}

interface Requests {
  readonly about: string;
  readonly feed?: 'xds' | 'xdss';
  readonly mesh?: string;
  /** Files of the istio-samples corpus that join the mesh. */
  readonly corpora?: readonly string[];
  readonly requests: readonly CaseRequest[];
}

const CASES = join(import.meta.dirname, '..', 'cases');
const ISTIO_GROUPS = /^(networking|security|telemetry|extensions)\.istio\.io\//;

export function caseNames(): readonly string[] {
  return readdirSync(CASES, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));
}

/** Undefined where the case uses corpora that are not there. */
export function loadCase(name: string): CaseFile | undefined {
  const text = (file: string) => readFileSync(join(CASES, file), 'utf8');
  const requests = parse(text(join(name, 'requests.yaml')), { merge: true }) as Requests;
  const folder = corpus('istio-samples');
  if (requests.corpora !== undefined && folder === undefined) return undefined;
  const corpora = (requests.corpora ?? []).map((path) => join(folder ?? '', path));
  const own = join(name, 'mesh.yaml');
  const sources = [text('world.yaml'), existsSync(join(CASES, own)) ? text(own) : ''];
  const documents = [...sources, ...corpora.map((path) => readFileSync(path, 'utf8'))].flatMap(objectsOf);
  const isIstio = ({ apiVersion }: ObjectText) => ISTIO_GROUPS.test(apiVersion);
  return {
    name,
    about: requests.about,
    feed: requests.feed ?? 'xds',
    mesh: requests.mesh ?? 'proxyHttpPort: 0\n',
    kubernetes: joined(documents.filter((document) => !isIstio(document))),
    istio: joined(documents.filter(isIstio)),
    requests: requests.requests,
  };
}

interface ObjectText {
  readonly apiVersion: string;
  readonly text: string;
}

function objectsOf(text: string): ObjectText[] {
  return parseAllDocuments(text).flatMap((document) => {
    const object = document.toJS() as { readonly apiVersion?: string } | null;
    return object?.apiVersion === undefined ? [] : [{ apiVersion: object.apiVersion, text: document.toString() }];
  });
}

const joined = (documents: readonly ObjectText[]) =>
  documents.map(({ text }) => text.replace(/^---\n/, '')).join('---\n');
