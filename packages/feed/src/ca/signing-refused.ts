// Why the CA does not sign, in terms of gRPC.

export type RefusalStatus = 'INVALID_ARGUMENT' | 'UNAUTHENTICATED' | 'PERMISSION_DENIED';

export class SigningRefused extends Error {
  readonly status: RefusalStatus;

  constructor(status: RefusalStatus, message: string) {
    super(message);
    this.name = 'SigningRefused';
    this.status = status;
  }
}
