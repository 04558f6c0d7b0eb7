// The gRPC side of ADS: address, credentials, the two methods with our own serialisers. No proto-loader, no generated stubs.
import { readFile } from 'node:fs/promises';
import {
  Client,
  type ClientDuplexStream,
  Metadata,
  type ChannelCredentials,
  credentials as grpcCredentials,
} from '@grpc/grpc-js';
import {
  type DeltaDiscoveryRequest,
  DeltaDiscoveryRequestSchema,
  type DeltaDiscoveryResponse,
  DeltaDiscoveryResponseSchema,
  type DescMessage,
  type DiscoveryRequest,
  DiscoveryRequestSchema,
  type DiscoveryResponse,
  DiscoveryResponseSchema,
  type FeedNode,
  type JsonObject,
  type MessageShape,
  type Node,
  NodeSchema,
  create,
  fromBinary,
  toBinary,
} from '@heddle/xds';
import { MeshError } from '../../errors.js';

const SERVICE = '/envoy.service.discovery.v3.AggregatedDiscoveryService';

export interface FeedAddress {
  readonly host: string;
  readonly port: number;
  readonly secure: boolean;
}

/** Istio's ports of istiod: plain and TLS. */
const DEFAULT_PORTS = { 'xds:': 15010, 'xdss:': 15012 } as const;

/** Reads `xds://host:port` or `xdss://host:port`. Throws CONFIG_INVALID for anything else. */
export function parseFeedUrl(text: string): FeedAddress {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const protocol = url?.protocol;
  const known = protocol === 'xds:' || protocol === 'xdss:';
  if (url === undefined || !known || url.hostname === '' || !['', '/'].includes(url.pathname)) {
    throw new MeshError('CONFIG_INVALID', `feed ${JSON.stringify(text)}: expected xds://HOST:PORT or xdss://HOST:PORT`);
  }
  const port = url.port === '' ? DEFAULT_PORTS[protocol] : Number(url.port);
  return { host: url.hostname, port, secure: protocol === 'xdss:' };
}

export interface ChannelOptions {
  readonly address: FeedAddress;
  readonly rootCertFile?: string | undefined;
  readonly serverName?: string | undefined;
  readonly keepaliveTimeMs: number;
  readonly keepaliveTimeoutMs: number;
  readonly maxMessageBytes: number;
}

/** A channel of its own (no shared subchannels: their back-off would hide ours). Root certificates are read each time. */
export async function openChannel(options: ChannelOptions): Promise<Client> {
  const { address } = options;
  return new Client(`${address.host}:${address.port}`, await channelCredentials(options), {
    'grpc.use_local_subchannel_pool': 1,
    'grpc.keepalive_time_ms': options.keepaliveTimeMs,
    'grpc.keepalive_timeout_ms': options.keepaliveTimeoutMs,
    'grpc.max_receive_message_length': options.maxMessageBytes,
    'grpc.enable_retries': 0,
    'grpc.service_config_disable_resolution': 1,
    ...(options.serverName === undefined ? {} : { 'grpc.ssl_target_name_override': options.serverName }),
  });
}

async function channelCredentials(options: ChannelOptions): Promise<ChannelCredentials> {
  if (!options.address.secure) return grpcCredentials.createInsecure();
  const roots = options.rootCertFile === undefined ? null : await readFile(options.rootCertFile);
  return grpcCredentials.createSsl(roots);
}

/**
 * The call's metadata with the token of this moment (Kubernetes renews projected tokens in place). A token goes over TLS only. Throws when the
 * file can't be read or is empty: a server that wants a token would refuse anyway, with a worse message.
 */
export async function callMetadata(address: FeedAddress, tokenFile: string | undefined): Promise<Metadata> {
  const metadata = new Metadata();
  if (tokenFile === undefined || !address.secure) return metadata;
  const token = (await readFile(tokenFile, 'utf8')).trim();
  if (token === '') throw new Error(`token file ${tokenFile} is empty`);
  metadata.set('authorization', `Bearer ${token}`);
  return metadata;
}

export type DeltaCall = ClientDuplexStream<DeltaDiscoveryRequest, DeltaDiscoveryResponse>;
export type SotwCall = ClientDuplexStream<DiscoveryRequest, DiscoveryResponse>;

export function callDelta(client: Client, metadata: Metadata): DeltaCall {
  return client.makeBidiStreamRequest(
    `${SERVICE}/DeltaAggregatedResources`,
    serializer(DeltaDiscoveryRequestSchema),
    (bytes) => fromBinary(DeltaDiscoveryResponseSchema, bytes),
    metadata,
  );
}

export function callSotw(client: Client, metadata: Metadata): SotwCall {
  return client.makeBidiStreamRequest(
    `${SERVICE}/StreamAggregatedResources`,
    serializer(DiscoveryRequestSchema),
    (bytes) => fromBinary(DiscoveryResponseSchema, bytes),
    metadata,
  );
}

function serializer<Desc extends DescMessage>(schema: Desc) {
  return (message: MessageShape<Desc>): Buffer => {
    const bytes = toBinary(schema, message);
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  };
}

/** The node as it goes over the wire. */
export function wireNode(node: FeedNode): Node {
  return create(NodeSchema, {
    id: node.id,
    cluster: node.cluster,
    locality: node.locality,
    metadata: node.metadata as JsonObject,
    userAgentName: 'heddle',
    clientFeatures: ['xds.config.resource-in-sotw'],
  });
}
