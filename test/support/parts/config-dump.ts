// Reads the config_dump of a real Envoy: what it holds, what it refused, and pieces of it to use again.

interface FilterChain {
  readonly filter_chain_match?: { readonly destination_port?: number; readonly transport_protocol?: string };
  readonly transport_socket?: object;
  readonly filters: readonly { readonly name: string; readonly typed_config: object }[];
}

interface DumpedListener {
  readonly name: string;
  readonly error_state?: unknown;
  readonly active_state?: { readonly listener: { readonly filter_chains?: readonly FilterChain[] } };
}

export interface ConfigDump {
  readonly configs: readonly Readonly<Record<string, unknown>>[];
}

/** Every `error_state` anywhere in the dump: what Envoy refused. */
export function refusedIn(dump: ConfigDump): unknown[] {
  const errors: unknown[] = [];
  const find = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    if ('error_state' in value) errors.push(value.error_state);
    for (const child of Object.values(value)) find(child);
  };
  find(dump);
  return errors;
}

/** A list of one section, such as `dynamic_active_clusters` of `ClustersConfigDump`; empty when it is absent. */
export function listIn(dump: ConfigDump, section: string, list: string): readonly unknown[] {
  const config = dump.configs.find((entry) => String(entry['@type']).endsWith(`.${section}`));
  return (config?.[list] as unknown[] | undefined) ?? [];
}

export function listenersIn(dump: ConfigDump): readonly DumpedListener[] {
  return listIn(dump, 'ListenersConfigDump', 'dynamic_listeners') as readonly DumpedListener[];
}

const manager = 'envoy.filters.network.http_connection_manager';

/** How the node's own listener serves a port over mutual TLS: its TLS context and its connection manager, as the feed made them. */
export function inboundChain(dump: ConfigDump, port: number): { transportSocket: object; http: object } {
  const inbound = listenersIn(dump).find(({ name }) => name === 'virtualInbound');
  const chain = inbound?.active_state?.listener.filter_chains?.find(
    ({ filter_chain_match: match, filters }) =>
      match?.destination_port === port &&
      match.transport_protocol === 'tls' &&
      filters.some(({ name }) => name === manager),
  );
  const http = chain?.filters.find(({ name }) => name === manager)?.typed_config;
  if (chain?.transport_socket === undefined || http === undefined)
    throw new Error(`virtualInbound has no mutual TLS chain for port ${port}`);
  return { transportSocket: chain.transport_socket, http };
}
