// A mesh of many services: for each a Service, an EndpointSlice of ten endpoints, and a VirtualService with timeout and retries.

export const ENDPOINTS_PER_SERVICE = 10;
const SERVICES_PER_FILE = 50;

/** `edition` is part of every endpoint's address and every route's timeout: another edition changes every resource. */
export function manyServices(services: number, edition: number): Record<string, string> {
  const files: Record<string, string> = {};
  for (let first = 0; first < services; first += SERVICES_PER_FILE) {
    const count = Math.min(SERVICES_PER_FILE, services - first);
    const documents = Array.from({ length: count }, (_, index) => oneService(first + index, edition));
    files[`services-${String(first).padStart(4, '0')}.yaml`] = documents.join('---\n');
  }
  return files;
}

function oneService(index: number, edition: number): string {
  const name = `service-${index}`;
  const addresses = Array.from(
    { length: ENDPOINTS_PER_SERVICE },
    (_, endpoint) =>
      `    - { addresses: ['10.${edition}.${index >> 4}.${((index & 15) << 4) + endpoint + 1}'], conditions: { ready: true } }`,
  );
  return `apiVersion: v1
kind: Service
metadata: { name: ${name}, namespace: shop }
spec:
  selector: { app: ${name} }
  ports: [{ name: http, port: 80, targetPort: 8080 }]
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: ${name}-1, namespace: shop, labels: { kubernetes.io/service-name: ${name} } }
addressType: IPv4
ports: [{ name: http, port: 8080, protocol: TCP }]
endpoints:
${addresses.join('\n').replaceAll(/^ {4}/gm, '  ')}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: ${name}, namespace: shop }
spec:
  hosts: [${name}]
  http:
    - timeout: ${10 + edition}s
      retries: { attempts: 2, retryOn: '5xx,reset,connect-failure' }
      route: [{ destination: { host: ${name} } }]
`;
}
