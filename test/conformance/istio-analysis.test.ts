// Istio's analyzer cases, for the analyzers that Heddle has: the same objects get the same codes. Data: shared corpora, istio-analysis.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkConfig, loadPathsSync } from '@heddle/config';
import { describe, expect, it } from 'vitest';

interface AnalysisCase {
  readonly id: string;
  readonly analyzer: string;
  readonly inputs: readonly string[];
  readonly expected: readonly { readonly code: string; readonly resource: string }[];
}

const corpora = process.env['HEDDLE_CORPORA'] ?? fileURLToPath(new URL('../../../shared/corpora', import.meta.url));
const folder = join(corpora, 'istio-analysis');
const present = existsSync(folder);
const { cases } = present
  ? (JSON.parse(readFileSync(join(folder, 'index.json'), 'utf8')) as { cases: readonly AnalysisCase[] })
  : { cases: [] };

/** Which of Heddle's findings answer to an analyzer of Istio. Analyzers that are not here are not built yet. */
const findingsOf: Readonly<Record<string, readonly string[]>> = {
  'authz.AuthorizationPoliciesAnalyzer': ['no-matching-workload', 'unknown-namespace'],
  'deprecation.FieldAnalyzer': ['deprecated-field'],
  'destinationrule.CaCertificateAnalyzer': ['no-server-verification', 'no-server-verification-on-port'],
  'destinationrule.PodNotSelectedAnalyzer': ['unknown-rule-host', 'subset-without-workloads'],
  'envoyfilter.EnvoyPatchAnalyzer': [
    'relative-operation',
    'relative-operation-with-version',
    'replace-needs-filter',
    'add-ignored',
    'remove-ignored',
  ],
  'schemaValidation.CollectionValidationAnalyzer': ['unreachable-route', 'ineffective-match'],
  'service.PortNameAnalyzer': ['port-name-convention', 'external-name-port'],
  'serviceentry.ConflictingServiceEntryProtocolAnalyzer': ['conflicting-protocol'],
  'serviceentry.ProtocolAddressesAnalyzer': ['addresses-required'],
  'sidecar.SelectorAnalyzer': ['no-matching-workload', 'conflicting-sidecars', 'several-default-sidecars'],
  'virtualservice.ConflictingMeshGatewayHostsAnalyzer': ['conflicting-hosts'],
  'virtualservice.DestinationHostAnalyzer': ['unknown-host', 'unknown-port', 'port-needed'],
  'virtualservice.DestinationRuleAnalyzer': ['unknown-subset'],
  'virtualservice.GatewayAnalyzer': ['unknown-gateway', 'host-not-in-gateway'],
};

/** Cases that differ, with the reason. One that agrees must leave the list: the test fails then. */
const differing: Readonly<Record<string, string>> = {
  sidecarSelector: 'a selector without workloads has one code for all kinds (IST0127)',
  sidecarDefaultSelector: 'ambient mode (IST0167) is out of scope',
  virtualServiceConflictingMeshGatewayHosts:
    'both sides of a conflict are named, also where one is exported to all namespaces',
  virtualServiceConflictingMeshGatewayHostsWithExportTo:
    'overlapping wildcards do not conflict: the more specific one wins',
  virtualServiceInternalGatewayRef: 'IST0165 is not built yet',
  virtualServiceGateways: 'a gateway that does not exist is not also blamed for its hosts',
  virtualServiceDestinationHosts:
    'the case lacks a required destination, so its other faults wait; exportTo of the rule is not followed',
  authorizationpolicies: 'a policy for a whole namespace may come before its workloads',
  dupmatches: 'a rule whose matches are all covered is unreachable; a prefix also covers exact paths',
  'missing Addresses and Protocol in Service Entry with ISTIO_META_DNS_AUTO_ALLOCATE enabled': 'MeshConfig is not read',
  'ServiceEntry Addresses Allocated': 'the status of a ServiceEntry is not read',
  EnvoyFilterUsesRelativeOperation: 'proxyVersion is reported beside the operation, not instead of it',
  EnvoyFilterUsesReplaceOperation: 'proxyVersion is reported beside the operation, not instead of it',
  EnvoyFilterUsesRemoveOperation: 'an empty `match` breaks the schema, so the filter is not analysed',
  DestinationRuleSubsetsNotSelectPods: 'without any workload of the service its workloads live elsewhere',
  DestinationRuleEmptyTopologyLabels: 'labels that come from the node are taken for granted',
  'Route Rule no effect on Ingress': 'IST0140 is not built yet',
};

const byDefault = (resource: string) => resource.replace(/ default\//, ' ');

function agrees({ analyzer, inputs, expected }: AnalysisCase): { got: readonly string[]; wanted: readonly string[] } {
  const names = findingsOf[analyzer] ?? [];
  const findings = checkConfig(loadPathsSync(inputs.map((name) => join(folder, 'testdata', name))));
  const got = findings
    .filter(({ name }) => names.includes(name))
    .map(({ istioCode, object }) => `${istioCode ?? ''} ${byDefault(object ?? '')}`);
  return { got: got.sort(), wanted: expected.map(({ code, resource }) => `${code} ${byDefault(resource)}`).sort() };
}

describe.skipIf(!present)('Istio’s analysis cases (skipped without the corpora: HEDDLE_CORPORA)', () => {
  const built = cases.filter(({ analyzer }) => analyzer in findingsOf);

  it.each(built.map((one) => [one.id, one] as const))('%s', (id, one) => {
    const { got, wanted } = agrees(one);
    if (id in differing) expect(got, `agrees now: take it off the list (${differing[id] ?? ''})`).not.toEqual(wanted);
    else expect(got).toEqual(wanted);
  });

  it('are counted', () => {
    const agreeing = built.filter((one) => {
      const { got, wanted } = agrees(one);
      return got.join() === wanted.join();
    });
    console.log(
      `istio-analysis: ${agreeing.length} agree, ${built.length - agreeing.length} differ, ${cases.length - built.length} not built yet`,
    );
    expect(agreeing.length).toBe(built.length - Object.keys(differing).length);
  });
});
