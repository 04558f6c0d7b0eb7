// ALPN names to offer, and what the answer means. Istio marks its mutual TLS by names of its own (istio, istio-http/1.1, istio-h2).

const HTTP2_NAMES = new Set(['h2', 'istio-h2']);

/** The names of the policy that fit the protocol that will be spoken, the specific ones first. `istio-peer-exchange` is for TCP proxies only. */
export function alpnFor(configured: readonly string[], http2: boolean): string[] {
  const wanted = http2 ? 'h2' : 'http/1.1';
  const istio = configured.some((name) => name.startsWith('istio'));
  const offered = istio ? [`istio-${wanted}`, 'istio', wanted] : [wanted];
  for (const name of configured) {
    if (offered.includes(name) || name === 'istio-peer-exchange') continue;
    if (HTTP2_NAMES.has(name) === http2 && !name.includes('http/1')) offered.push(name);
  }
  return offered;
}

/** True when HTTP/2 was agreed on; names that say nothing (`istio`, none) mean what the cluster is configured for. */
export function speaksHttp2(negotiated: string | false | null | undefined, http2: boolean): boolean {
  if (typeof negotiated !== 'string' || negotiated === '' || negotiated === 'istio') return http2;
  return HTTP2_NAMES.has(negotiated);
}
