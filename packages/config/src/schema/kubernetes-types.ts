// Types of what Heddle reads from Kubernetes' own kinds; other fields may be given too.

type Labels = Readonly<Record<string, string>>;

interface OtherFields {
  readonly [field: string]: unknown;
}

export interface ServiceSpec extends OtherFields {
  readonly type?: 'ClusterIP' | 'NodePort' | 'LoadBalancer' | 'ExternalName' | undefined;
  /** `None` makes the service headless. */
  readonly clusterIP?: string | undefined;
  readonly clusterIPs?: readonly string[] | null | undefined;
  readonly externalName?: string | undefined;
  readonly externalIPs?: readonly string[] | null | undefined;
  readonly ipFamilies?: readonly string[] | null | undefined;
  readonly publishNotReadyAddresses?: boolean | undefined;
  readonly sessionAffinity?: string | undefined;
  readonly trafficDistribution?: string | undefined;
  readonly selector?: Labels | null | undefined;
  readonly ports?: readonly ServicePort[] | null | undefined;
}

export interface ServicePort extends OtherFields {
  readonly name?: string | undefined;
  readonly port: number;
  /** Number, or the name of a container port. */
  readonly targetPort?: number | string | undefined;
  readonly protocol?: 'TCP' | 'UDP' | 'SCTP' | undefined;
  readonly appProtocol?: string | undefined;
}

export interface EndpointSliceSpec extends OtherFields {
  readonly addressType: 'IPv4' | 'IPv6' | 'FQDN';
  readonly endpoints?: readonly SliceEndpoint[] | null | undefined;
  readonly ports?: readonly SlicePort[] | null | undefined;
}

export interface SliceEndpoint extends OtherFields {
  readonly addresses: readonly string[] | null;
  readonly conditions?: SliceConditions | null | undefined;
  readonly hostname?: string | undefined;
  readonly nodeName?: string | undefined;
  readonly zone?: string | undefined;
  readonly targetRef?: SliceTarget | null | undefined;
}

export interface SliceConditions extends OtherFields {
  readonly ready?: boolean | null | undefined;
  readonly serving?: boolean | null | undefined;
  readonly terminating?: boolean | null | undefined;
}

export interface SliceTarget extends OtherFields {
  readonly kind?: string | undefined;
  readonly name?: string | undefined;
  readonly namespace?: string | undefined;
}

export interface SlicePort extends OtherFields {
  readonly name?: string | undefined;
  readonly port?: number | null | undefined;
  readonly protocol?: 'TCP' | 'UDP' | 'SCTP' | undefined;
  readonly appProtocol?: string | undefined;
}

export interface PodSpec extends OtherFields {
  readonly serviceAccountName?: string | undefined;
  readonly hostNetwork?: boolean | undefined;
  readonly nodeName?: string | undefined;
  readonly containers?: readonly PodContainer[] | null | undefined;
}

export interface PodContainer extends OtherFields {
  readonly name?: string | undefined;
  readonly ports?: readonly ContainerPort[] | null | undefined;
}

export interface ContainerPort extends OtherFields {
  readonly name?: string | undefined;
  readonly containerPort?: number | undefined;
  readonly protocol?: 'TCP' | 'UDP' | 'SCTP' | undefined;
}

export interface PodStatus extends OtherFields {
  readonly phase?: string | undefined;
  readonly podIP?: string | undefined;
  readonly podIPs?: readonly { readonly ip?: string | undefined }[] | null | undefined;
  readonly conditions?:
    readonly { readonly type?: string | undefined; readonly status?: string | undefined }[] | null | undefined;
}
