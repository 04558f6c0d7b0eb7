// What the inbound side reports besides calls: connections refused and the reasons. For logs and metrics; never carries request data.

export type InboundEvent =
  | { readonly kind: 'connection-refused'; readonly port: number; readonly sourceIp: string; readonly reason: string }
  | { readonly kind: 'connection-revoked'; readonly port: number; readonly sourceIp: string; readonly reason: string }
  | { readonly kind: 'handshake-failed'; readonly port: number; readonly sourceIp: string; readonly reason: string }
  | { readonly kind: 'application-error'; readonly method: string; readonly error: unknown };

export type InboundEventSink = (event: InboundEvent) => void;
