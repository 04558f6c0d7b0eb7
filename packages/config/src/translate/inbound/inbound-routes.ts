// The route of an inbound port: everything goes to the application, without a timeout of the mesh.
import { type RouteConfiguration, RouteConfigurationSchema, create } from '@heddle/xds';
import { durationOfMs } from '../wire.js';

export interface InboundRoute {
  readonly cluster: string;
  /** Port of the service, 0 for ports that no service declares. */
  readonly servicePort: number;
  /** `HOST:PORT/*` for traces. */
  readonly operation: string;
  /** Retrying a gRPC stream before its first byte was seen breaks streaming calls. */
  readonly grpc: boolean;
}

export function inboundRoutes({ cluster, servicePort, operation, grpc }: InboundRoute): RouteConfiguration {
  const zero = durationOfMs(0);
  return create(RouteConfigurationSchema, {
    name: cluster,
    validateClusters: false,
    virtualHosts: [
      {
        name: `inbound|http|${servicePort}`,
        domains: ['*'],
        routes: [
          {
            name: 'default',
            match: { pathSpecifier: { case: 'prefix', value: '/' } },
            decorator: { operation },
            action: {
              case: 'route',
              value: {
                clusterSpecifier: { case: 'cluster', value: cluster },
                timeout: zero,
                maxStreamDuration: { maxStreamDuration: zero, grpcTimeoutHeaderMax: zero },
                ...(grpc ? {} : { retryPolicy: { retryOn: 'reset-before-request', numRetries: 2 } }),
              },
            },
          },
        ],
      },
    ],
  });
}
