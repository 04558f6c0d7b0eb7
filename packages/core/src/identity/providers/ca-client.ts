// One unary call of grpc-js: IstioCertificateService.CreateCertificate (istio.io/api security/v1alpha1), as istiod and Heddle's dev CA serve it.
import { Client, Metadata, credentials } from '@grpc/grpc-js';
import type { ClientOptions } from '@grpc/grpc-js';
import {
  IstioCertificateRequestSchema,
  IstioCertificateResponseSchema,
  create,
  fromBinary,
  toBinary,
} from '@heddle/xds';
import type { IstioCertificateRequest } from '@heddle/xds';

const createCertificatePath = '/istio.v1.auth.IstioCertificateService/CreateCertificate';
const deadlineMs = 10_000;
/** A chain of a few certificates; more is refused before it is decoded. */
const maxResponseBytes = 1024 * 1024;

export interface CertificateCall {
  /** `host:port` of the CA. */
  readonly address: string;
  /** Undefined: plain text. `rootPem` undefined: the system's roots. */
  readonly tls: { readonly rootPem: string | undefined; readonly serverName: string | undefined } | undefined;
  readonly token: string;
  readonly clusterId: string;
  readonly csrPem: string;
  readonly lifetimeMs: number;
}

export interface CancellableCall {
  /** The chain as sent, leaf first and root last. Rejects with grpc-js's ServiceError. */
  readonly chain: Promise<readonly string[]>;
  cancel(): void;
}

/** A client of its own for every call: calls are hours apart, and the roots may have changed since the last (Istio's agent rebuilds its client too). */
export function createCertificate(call: CertificateCall): CancellableCall {
  const client = clientFor(call);
  const metadata = new Metadata();
  metadata.set('authorization', `Bearer ${call.token}`);
  metadata.set('clusterid', call.clusterId);
  const request = create(IstioCertificateRequestSchema, {
    csr: call.csrPem,
    validityDuration: BigInt(Math.ceil(call.lifetimeMs / 1000)),
  });
  const chain = new Promise<readonly string[]>((resolve, reject) => {
    client.makeUnaryRequest(
      createCertificatePath,
      (value: IstioCertificateRequest) => Buffer.from(toBinary(IstioCertificateRequestSchema, value)),
      (bytes: Buffer) => fromBinary(IstioCertificateResponseSchema, bytes),
      request,
      metadata,
      { deadline: Date.now() + deadlineMs },
      (error, response) => {
        client.close();
        if (error) reject(error);
        else resolve(response?.certChain ?? []);
      },
    );
  });
  return { chain, cancel: () => client.close() };
}

function clientFor({ address, tls }: CertificateCall): Client {
  const options: ClientOptions = {
    'grpc.max_receive_message_length': maxResponseBytes,
    'grpc.enable_retries': 0,
    'grpc.enable_http_proxy': 0,
    // Channels of the same address and options would else share a connection that was made with older roots.
    'grpc.use_local_subchannel_pool': 1,
  };
  if (tls === undefined) return new Client(address, credentials.createInsecure(), options);
  const secure = credentials.createSsl(tls.rootPem === undefined ? null : Buffer.from(tls.rootPem));
  if (tls.serverName === undefined) return new Client(address, secure, options);
  return new Client(address, secure, {
    ...options,
    'grpc.ssl_target_name_override': tls.serverName,
    'grpc.default_authority': tls.serverName,
  });
}
