// A feed's client status as plain data.
import { ConfigStatus, fromBinary, StructSchema, toJson, type ClientStatusResponse } from '@heddle/xds';

export interface FeedClientType {
  /** `Cluster`, `Listener`, … */
  readonly type: string;
  readonly state: keyof typeof ConfigStatus;
  readonly sentVersion: string;
  readonly ackedVersion: string;
  /** The client's refusal, when its last answer was one. */
  readonly refusal: string | undefined;
}

export interface FeedClient {
  readonly node: string;
  readonly types: readonly FeedClientType[];
}

export function clientsOf(response: ClientStatusResponse): FeedClient[] {
  return response.config.map(({ node, genericXdsConfigs }) => ({
    node: node?.id ?? '',
    types: genericXdsConfigs.map((config) => {
      const own =
        config.xdsConfig === undefined ? {} : toJson(StructSchema, fromBinary(StructSchema, config.xdsConfig.value));
      const sent = (own as Readonly<Record<string, unknown>>)['sentVersion'];
      return {
        type: config.typeUrl.slice(config.typeUrl.lastIndexOf('.') + 1),
        state: ConfigStatus[config.configStatus] as keyof typeof ConfigStatus,
        sentVersion: typeof sent === 'string' ? sent : '',
        ackedVersion: config.versionInfo,
        refusal: config.errorState?.details,
      };
    }),
  }));
}
