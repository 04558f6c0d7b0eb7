// The fields of Kubernetes' Service, EndpointSlice and Pod and of Gateway API's HTTPRoute that translation reads.
type StringMap = Readonly<Record<string, string>>;

export interface ServiceSpec {
  readonly type?: string;
  readonly clusterIP?: string;
  readonly clusterIPs?: readonly string[];
  readonly externalName?: string;
  readonly selector?: StringMap;
  readonly publishNotReadyAddresses?: boolean;
  readonly ports?: readonly {
    readonly name?: string;
    readonly port?: number;
    readonly targetPort?: number | string;
    readonly protocol?: string;
    readonly appProtocol?: string;
  }[];
}
export interface EndpointSliceSpec {
  readonly addressType?: string;
  readonly ports?: readonly { readonly name?: string; readonly port?: number; readonly protocol?: string }[];
  readonly endpoints?: readonly {
    readonly addresses?: readonly string[];
    readonly conditions?: { readonly ready?: boolean; readonly serving?: boolean; readonly terminating?: boolean };
    readonly hostname?: string;
    readonly nodeName?: string;
    readonly zone?: string;
    readonly targetRef?: { readonly kind?: string; readonly name?: string; readonly namespace?: string };
  }[];
}
export interface PodSpec {
  readonly serviceAccountName?: string;
  readonly nodeName?: string;
  readonly containers?: readonly {
    readonly ports?: readonly { readonly name?: string; readonly containerPort?: number }[];
  }[];
}
export interface PodStatus {
  readonly podIP?: string;
  readonly podIPs?: readonly { readonly ip?: string }[];
  readonly phase?: string;
  readonly conditions?: readonly { readonly type?: string; readonly status?: string }[];
}

export interface BackendRef {
  readonly group?: string;
  readonly kind?: string;
  readonly name?: string;
  readonly namespace?: string;
  readonly port?: number;
}
interface HttpHeader {
  readonly name?: string;
  readonly value?: string;
}
export interface HeaderFilterSpec {
  readonly set?: readonly HttpHeader[];
  readonly add?: readonly HttpHeader[];
  readonly remove?: readonly string[];
}
interface PathModifier {
  readonly type?: 'ReplaceFullPath' | 'ReplacePrefixMatch';
  readonly replaceFullPath?: string;
  readonly replacePrefixMatch?: string;
}
export interface HttpRouteFilterSpec {
  readonly type?: string;
  readonly requestHeaderModifier?: HeaderFilterSpec;
  readonly responseHeaderModifier?: HeaderFilterSpec;
  readonly requestRedirect?: {
    readonly scheme?: string;
    readonly hostname?: string;
    readonly port?: number;
    readonly statusCode?: number;
    readonly path?: PathModifier;
  };
  readonly urlRewrite?: { readonly hostname?: string; readonly path?: PathModifier };
  readonly requestMirror?: {
    readonly backendRef?: BackendRef;
    readonly percent?: number;
    readonly fraction?: { readonly numerator?: number; readonly denominator?: number };
  };
}
interface NamedMatch {
  readonly type?: 'Exact' | 'RegularExpression';
  readonly name?: string;
  readonly value?: string;
}
export interface HttpRouteMatchSpec {
  readonly path?: { readonly type?: 'Exact' | 'PathPrefix' | 'RegularExpression'; readonly value?: string };
  readonly headers?: readonly NamedMatch[];
  readonly queryParams?: readonly NamedMatch[];
  readonly method?: string;
}
export interface HttpRouteRuleSpec {
  readonly name?: string;
  readonly matches?: readonly HttpRouteMatchSpec[];
  readonly filters?: readonly HttpRouteFilterSpec[];
  readonly backendRefs?: readonly (BackendRef & {
    readonly weight?: number;
    readonly filters?: readonly HttpRouteFilterSpec[];
  })[];
  readonly timeouts?: { readonly request?: string; readonly backendRequest?: string };
  readonly retry?: { readonly codes?: readonly number[]; readonly attempts?: number; readonly backoff?: string };
}
export interface HttpRouteSpec {
  readonly parentRefs?: readonly {
    readonly group?: string;
    readonly kind?: string;
    readonly name?: string;
    readonly namespace?: string;
    readonly port?: number;
  }[];
  readonly hostnames?: readonly string[];
  readonly rules?: readonly HttpRouteRuleSpec[];
}
