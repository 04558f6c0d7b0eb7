// Envoy's own cases of path normalisation and of the connection manager's header treatment. Data: shared corpora, envoy-rbac.
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  type ForwardMode,
  type ForwardedDetail,
  forwardedClientCert,
} from '../../packages/core/src/inbound/http/forwarded-client-cert.js';
import {
  type PathOptions,
  mergeSlashes,
  normalizePath,
  normalizeTarget,
  unescapeSlashes,
} from '../../packages/core/src/matching/path-normalization.js';
import { appendedForwardedFor, clientAddress } from '../../packages/core/src/inbound/http/remote-address.js';
import { normalHost } from '../../packages/core/src/inbound/http/request-head.js';
import { pathOnly } from '../../packages/core/src/matching/path-matcher.js';

const repository = resolve(import.meta.dirname, '../..');
const folder = join(resolve(repository, process.env['HEDDLE_CORPORA'] ?? '../shared/corpora'), 'envoy-rbac');
const present = existsSync(folder);
const read = <Case>(file: string): Case[] =>
  present ? (JSON.parse(readFileSync(join(folder, file), 'utf8')) as { cases: Case[] }).cases : [];

interface PathCase {
  readonly id: string;
  readonly function: 'normalize_path' | 'merge_slashes' | 'remove_query_and_fragment' | 'unescape_slashes';
  readonly input: string;
  readonly expected: { readonly path?: string; readonly reject?: true };
}

describe.skipIf(!present)('Envoy’s path functions (skipped without the corpora)', () => {
  const cases = read<PathCase>('path-normalization.json');

  test('all 66 are here', () => {
    expect(cases).toHaveLength(66);
  });

  test.each(cases.map((one) => [one.id, one] as const))('%s', (_, one) => {
    const { path } = split(one.input);
    expect(apply(one, path)).toBe(one.expected.path);
  });
});

function split(input: string): { path: string; query: string } {
  const at = input.indexOf('?');
  return at === -1 ? { path: input, query: '' } : { path: input.slice(0, at), query: input.slice(at) };
}

function apply(one: PathCase, path: string): string | undefined {
  const { query } = split(one.input);
  switch (one.function) {
    case 'normalize_path':
      return normalizePath(path);
    case 'merge_slashes':
      return mergeSlashes(path) + query;
    case 'unescape_slashes':
      return unescapeSlashes(path) + query;
    case 'remove_query_and_fragment':
      return pathOnly(one.input);
  }
}

interface HcmCase {
  readonly id: string;
  readonly kind: string;
  readonly options: Record<string, unknown>;
  readonly input: Record<string, unknown>;
  readonly expected: Record<string, unknown>;
}

const escapedSlashes: Record<string, PathOptions['escapedSlashes']> = {
  KEEP_UNCHANGED: 'keep',
  REJECT_REQUEST: 'reject',
  UNESCAPE_AND_REDIRECT: 'unescape-redirect',
  UNESCAPE_AND_FORWARD: 'unescape-forward',
  IMPLEMENTATION_SPECIFIC_DEFAULT: 'keep',
};
const actions = { path: 'CONTINUE', redirect: 'REDIRECT', refused: 'REJECT' } as const;

describe.skipIf(!present)('Envoy’s whole path pipeline', () => {
  const cases = read<HcmCase>('hcm-edge.json').filter(({ kind }) => kind === 'hcm_path');
  test.each(cases.map((one) => [one.id, one] as const))('%s', (_, { options, input, expected }) => {
    const result = normalizeTarget(String(input['path']), {
      normalizePath: options['normalize_path'] === true,
      mergeSlashes: options['merge_slashes'] === true,
      escapedSlashes: escapedSlashes[String(options['path_with_escaped_slashes_action'])] ?? 'keep',
      fragment: options['raw_fragment'] === 'STRIP' ? 'strip' : 'reject',
    });
    expect({ action: actions[result.kind], path: 'path' in result ? result.path : undefined }).toEqual({
      action: expected['action'],
      path: expected['path'],
    });
  });
});

interface CorpusConnection {
  readonly tls: boolean;
  readonly peer_cert?: boolean;
  readonly local_uri_sans?: string[];
  readonly peer_sha256?: string;
  readonly peer_uri_sans?: string[];
  readonly peer_dns_sans?: string[];
  readonly peer_subject?: string;
  readonly peer_pem_urlencoded?: string;
  readonly peer_chain_urlencoded?: string;
}

describe.skipIf(!present)('Envoy’s x-forwarded-client-cert', () => {
  const cases = read<HcmCase>('hcm-edge.json').filter(({ kind }) => kind === 'xfcc');
  test.each(cases.map((one) => [one.id, one] as const))('%s', (_, { options, input, expected }) => {
    const connection = input['connection'] as CorpusConnection;
    const mode = String(options['forward_client_cert_details']).toLowerCase().replaceAll('_', '-') as ForwardMode;
    const peer = {
      sha256: connection.peer_sha256 ?? '',
      uris: connection.peer_uri_sans ?? [],
      dnsNames: connection.peer_dns_sans ?? [],
      subject: connection.peer_subject ?? '',
      pem: connection.peer_pem_urlencoded,
      chainPem: connection.peer_chain_urlencoded,
    };
    const header = forwardedClientCert(
      mode,
      (input['x-forwarded-client-cert'] as string | null) ?? undefined,
      connection.peer_cert === true ? peer : undefined,
      connection.local_uri_sans ?? [],
      options['set_current_client_cert_details'] as ForwardedDetail[],
    );
    expect(header ?? null).toBe(expected['x-forwarded-client-cert']);
  });
});

describe.skipIf(!present)('Envoy’s x-forwarded-for', () => {
  // Trusted address ranges belong to an extension (original_ip_detection) that is not read.
  const cases = read<HcmCase>('hcm-edge.json').filter(
    ({ kind, options }) => kind === 'xff' && options['xff_trusted_cidrs'] === undefined,
  );

  test('there are some', () => expect(cases.length).toBeGreaterThan(8));

  test.each(cases.map((one) => [one.id, one] as const))('%s', (_, { options, input, expected }) => {
    const rules = {
      useRemoteAddress: options['use_remote_address'] === true,
      trustedHops: Number(options['xff_num_trusted_hops']),
      skipAppend: options['skip_xff_append'] === true,
    };
    const header = (input['x-forwarded-for'] as string | null) ?? undefined;
    const peer = String(input['peer_address']);
    expect(clientAddress(rules, header, peer)).toBe(expected['trusted_client_address']);
    const appended = appendedForwardedFor(rules, header, peer, String(input['local_address']));
    if ('x-forwarded-for' in expected) expect(appended ?? header ?? null).toBe(expected['x-forwarded-for']);
  });
});

const stripPort = { NONE: 'none', MATCHING: 'matching', ANY: 'any' } as const;

describe.skipIf(!present)('Envoy’s host normalisation', () => {
  const cases = read<HcmCase>('hcm-edge.json').filter(({ kind }) => kind === 'hcm_host');

  test('there are some', () => expect(cases.length).toBeGreaterThan(5));

  test.each(cases.map((one) => [one.id, one] as const))('%s', (_, { options, input, expected }) => {
    const rules = {
      stripPort: stripPort[options['strip_port'] as keyof typeof stripPort],
      stripTrailingDot: options['strip_trailing_host_dot'] === true,
    };
    expect(normalHost(String(input['host']), rules, Number(options['listener_port']))).toBe(expected['host']);
  });
});
