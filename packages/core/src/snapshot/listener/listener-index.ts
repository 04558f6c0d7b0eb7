// Finds the listener that a call to host:port meets by the names of listeners alone, without decoding any.

interface PortListeners {
  /** By the host part of the name: IP addresses, VIPs, on-demand host names. */
  readonly byHost: Map<string, string>;
  /** `0.0.0.0_PORT` (or `[::]_PORT`). */
  any: string | undefined;
}

export class ListenerIndex {
  readonly #byPort = new Map<number, PortListeners>();

  /** `names` are the names of outbound listeners: `10.0.0.7_3306`, `0.0.0.0_9080`, `reviews:9080`. Others are found by name only. */
  constructor(names: Iterable<string>) {
    for (const name of names) this.#add(name);
  }

  /** Name of the listener for host and port; undefined when none is for that port. */
  find(host: string, port: number): string | undefined {
    const listeners = this.#byPort.get(port);
    return listeners?.byHost.get(host) ?? listeners?.any;
  }

  #add(name: string): void {
    const match = /^(.+)[_:](\d{1,5})$/.exec(name);
    if (match?.[1] === undefined) return;
    const host = match[1].replace(/^\[(.*)\]$/, '$1');
    const port = Number(match[2]);
    let listeners = this.#byPort.get(port);
    if (listeners === undefined) this.#byPort.set(port, (listeners = { byHost: new Map(), any: undefined }));
    if (host === '0.0.0.0') listeners.any = name;
    else if (host === '::') listeners.any ??= name;
    else listeners.byHost.set(host, name);
  }
}
