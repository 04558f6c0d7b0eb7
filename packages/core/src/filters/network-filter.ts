// The contract of network (L4) filters of inbound chains: they look at a connection once, before its first byte reaches anyone.

export interface ConnectionRequest {
  readonly peerPrincipal: string | undefined;
  readonly sourceIp: string;
  readonly sourcePort: number;
  readonly destinationIp: string;
  readonly destinationPort: number;
  readonly serverName: string;
}

export interface NetworkFilter {
  readonly name: string;
  readonly typeUrl: string;
  /** False closes the connection; `details` goes to log and metrics. */
  decide(connection: ConnectionRequest): { readonly allow: boolean; readonly details: string };
}
