// The fields of Istio's AuthorizationPolicy and EnvoyFilter that translation reads, as written in YAML.
type Strings = readonly string[];

export interface SourceSpec {
  readonly principals?: Strings;
  readonly notPrincipals?: Strings;
  readonly requestPrincipals?: Strings;
  readonly notRequestPrincipals?: Strings;
  readonly namespaces?: Strings;
  readonly notNamespaces?: Strings;
  readonly serviceAccounts?: Strings;
  readonly notServiceAccounts?: Strings;
  readonly ipBlocks?: Strings;
  readonly notIpBlocks?: Strings;
  readonly remoteIpBlocks?: Strings;
  readonly notRemoteIpBlocks?: Strings;
  readonly trustDomains?: Strings;
  readonly notTrustDomains?: Strings;
}
export interface OperationSpec {
  readonly hosts?: Strings;
  readonly notHosts?: Strings;
  readonly ports?: Strings;
  readonly notPorts?: Strings;
  readonly methods?: Strings;
  readonly notMethods?: Strings;
  readonly paths?: Strings;
  readonly notPaths?: Strings;
}
export interface AuthorizationRuleSpec {
  readonly from?: readonly { readonly source?: SourceSpec }[];
  readonly to?: readonly { readonly operation?: OperationSpec }[];
  readonly when?: readonly { readonly key?: string; readonly values?: Strings; readonly notValues?: Strings }[];
}
export interface TargetRefSpec {
  readonly kind?: string;
  readonly group?: string;
  readonly name?: string;
}
export interface AuthorizationPolicySpec {
  readonly selector?: { readonly matchLabels?: Readonly<Record<string, string>> };
  readonly action?: 'ALLOW' | 'DENY' | 'AUDIT' | 'CUSTOM';
  readonly rules?: readonly (AuthorizationRuleSpec | null)[];
  readonly provider?: { readonly name?: string };
  readonly targetRef?: TargetRefSpec;
  readonly targetRefs?: readonly TargetRefSpec[];
}

export type PatchOperation =
  | 'MERGE'
  | 'MERGE_AND_REPLACE_LIST'
  | 'ADD'
  | 'REMOVE'
  | 'INSERT_BEFORE'
  | 'INSERT_AFTER'
  | 'INSERT_FIRST'
  | 'REPLACE'
  | 'INVALID';
export interface ConfigPatchSpec {
  readonly applyTo?: string;
  readonly match?: {
    readonly context?: 'ANY' | 'SIDECAR_INBOUND' | 'SIDECAR_OUTBOUND' | 'GATEWAY';
    readonly proxy?: { readonly proxyVersion?: string; readonly metadata?: Readonly<Record<string, string>> };
    readonly listener?: {
      readonly name?: string;
      readonly portNumber?: number;
      readonly filterChain?: {
        readonly name?: string;
        readonly sni?: string;
        readonly transportProtocol?: string;
        readonly applicationProtocols?: string;
        readonly destinationPort?: number;
        readonly filter?: { readonly name?: string; readonly subFilter?: { readonly name?: string } };
      };
    };
  };
  readonly patch?: { readonly operation?: PatchOperation; readonly value?: Readonly<Record<string, unknown>> };
}
export interface EnvoyFilterSpec {
  readonly workloadSelector?: { readonly labels?: Readonly<Record<string, string>> };
  readonly configPatches?: readonly ConfigPatchSpec[];
  readonly priority?: number;
  readonly targetRefs?: readonly TargetRefSpec[];
}
