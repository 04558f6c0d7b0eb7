// istio.v1.auth.IstioCertificateService as a grpc-js service: what workloads (and Istio's own agent) ask for certificates.
import { status } from '@grpc/grpc-js';
import type { ServiceDefinition, UntypedServiceImplementation, handleUnaryCall } from '@grpc/grpc-js';
import {
  IstioCertificateRequestSchema,
  IstioCertificateResponseSchema,
  create,
  fromBinary,
  toBinary,
} from '@heddle/xds';
import type { IstioCertificateRequest, IstioCertificateResponse } from '@heddle/xds';
import type { Caller } from './caller-claims.js';
import { SigningRefused } from './signing-refused.js';

/** A service for startFeedServer({ services }). */
export interface GrpcService {
  readonly definition: ServiceDefinition;
  readonly implementation: UntypedServiceImplementation;
}

/** `sign` gets the caller, its request and the lifetime asked for (0 = none). */
export function certificateService(
  sign: (caller: Caller, csrPem: string, lifetimeMs: number) => Promise<readonly string[]>,
): GrpcService {
  const createCertificate: handleUnaryCall<IstioCertificateRequest, IstioCertificateResponse> = (call, callback) => {
    const [authorization] = call.metadata.get('authorization');
    const caller = { peer: call.getPeer(), authorization: authorization?.toString() };
    sign(caller, call.request.csr, Number(call.request.validityDuration) * 1000).then(
      (certChain) => callback(null, create(IstioCertificateResponseSchema, { certChain: [...certChain] })),
      (error: unknown) =>
        callback(
          error instanceof SigningRefused
            ? { code: status[error.status], details: error.message }
            : { code: status.INTERNAL, details: 'the certificate could not be made' },
        ),
    );
  };
  return { definition, implementation: { createCertificate } };
}

const definition: ServiceDefinition = {
  createCertificate: {
    path: '/istio.v1.auth.IstioCertificateService/CreateCertificate',
    requestStream: false,
    responseStream: false,
    requestSerialize: (value: IstioCertificateRequest) => Buffer.from(toBinary(IstioCertificateRequestSchema, value)),
    requestDeserialize: (bytes) => fromBinary(IstioCertificateRequestSchema, bytes),
    responseSerialize: (value: IstioCertificateResponse) =>
      Buffer.from(toBinary(IstioCertificateResponseSchema, value)),
    responseDeserialize: (bytes) => fromBinary(IstioCertificateResponseSchema, bytes),
  },
};
