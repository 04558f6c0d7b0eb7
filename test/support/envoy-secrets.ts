// What Istio's agent is to a real Envoy: a secret discovery service (cluster `sds-grpc`) with the workload's certificate `default`
// and the roots `ROOTCA`. For tests only: keys go over plain loopback.
import { Server, ServerCredentials, type ServerDuplexStream } from '@grpc/grpc-js';
import {
  type DiscoveryRequest,
  DiscoveryRequestSchema,
  type DiscoveryResponse,
  DiscoveryResponseSchema,
  SECRET_TYPE_URL,
  SecretSchema,
  create,
  fromBinary,
  packAny,
  toBinary,
} from '@heddle/xds';

export interface EnvoySecrets {
  readonly certificateChainPem: string;
  readonly privateKeyPem: string;
  readonly rootsPem: string;
}

export interface SecretServer {
  readonly port: number;
  close(): void;
}

/** Serves the secrets to any Envoy that asks. Point the bootstrap's cluster `sds-grpc` (HTTP/2) at 127.0.0.1:port. */
export async function startEnvoySecrets(secrets: EnvoySecrets): Promise<SecretServer> {
  const server = new Server();
  server.addService(
    {
      streamSecrets: {
        path: '/envoy.service.secret.v3.SecretDiscoveryService/StreamSecrets',
        requestStream: true,
        responseStream: true,
        requestSerialize: (value: DiscoveryRequest) => Buffer.from(toBinary(DiscoveryRequestSchema, value)),
        requestDeserialize: (bytes: Buffer) => fromBinary(DiscoveryRequestSchema, bytes),
        responseSerialize: (value: DiscoveryResponse) => Buffer.from(toBinary(DiscoveryResponseSchema, value)),
        responseDeserialize: (bytes: Buffer) => fromBinary(DiscoveryResponseSchema, bytes),
      },
    },
    {
      streamSecrets: (call: ServerDuplexStream<DiscoveryRequest, DiscoveryResponse>) => {
        call.on('error', () => undefined);
        call.on('end', () => call.end());
        call.on('data', (request: DiscoveryRequest) => {
          // The first request of a stream asks; those that follow acknowledge.
          if (request.responseNonce === '') call.write(answer(request.resourceNames, secrets));
        });
      },
    },
  );
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  return { port, close: () => server.forceShutdown() };
}

function answer(names: readonly string[], secrets: EnvoySecrets): DiscoveryResponse {
  const inline = (text: string) => ({ specifier: { case: 'inlineString' as const, value: text } });
  const resources = names.map((name) =>
    packAny(SecretSchema, {
      name,
      type:
        name === 'ROOTCA'
          ? { case: 'validationContext', value: { trustedCa: inline(secrets.rootsPem) } }
          : {
              case: 'tlsCertificate',
              value: {
                certificateChain: inline(secrets.certificateChainPem),
                privateKey: inline(secrets.privateKeyPem),
              },
            },
    }),
  );
  return create(DiscoveryResponseSchema, { typeUrl: SECRET_TYPE_URL, versionInfo: '1', nonce: '1', resources });
}
