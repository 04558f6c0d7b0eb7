// Regenerates src/gen from the published Envoy API descriptors (PyPI `xds-protos`) and the Istio CA's service.
// Run: node packages/xds/gen-recipe/generate.mjs [PYTHON]   (PYTHON: an interpreter that has xds-protos and protobuf; default python3)
// `buf` (npm @bufbuild/buf) has to be on the PATH. The output is committed, so that neither users nor CI need Python or buf.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const python = process.argv[2] ?? 'python3';
const work = mkdtempSync(join(tmpdir(), 'heddle-xds-'));
const descriptors = join(work, 'envoy.binpb');

/** What Heddle reads or writes; everything that these reach is kept, the rest is pruned. */
const types = [
  'envoy.service.discovery.v3.AggregatedDiscoveryService',
  'envoy.service.status.v3.ClientStatusDiscoveryService',
  'envoy.config.listener.v3.Listener',
  'envoy.config.route.v3.RouteConfiguration',
  'envoy.config.cluster.v3.Cluster',
  'envoy.config.endpoint.v3.ClusterLoadAssignment',
  'envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
  'envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy',
  'envoy.extensions.filters.network.rbac.v3.RBAC',
  'envoy.extensions.filters.http.router.v3.Router',
  'envoy.extensions.filters.http.fault.v3.HTTPFault',
  'envoy.extensions.filters.http.rbac.v3.RBAC',
  'envoy.extensions.filters.http.rbac.v3.RBACPerRoute',
  'envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication',
  'envoy.extensions.filters.http.jwt_authn.v3.PerRouteConfig',
  'envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit',
  'envoy.extensions.filters.http.cors.v3.Cors',
  'envoy.extensions.filters.http.cors.v3.CorsPolicy',
  'envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector',
  'envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext',
  'envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext',
  'envoy.extensions.transport_sockets.tls.v3.Secret',
  'envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
  'envoy.extensions.rbac.principals.mtls_authenticated.v3.Config',
  'xds.type.v3.TypedStruct',
  'udpa.type.v1.TypedStruct',
  'google.rpc.Status',
];
try {
  // The script prints every option extension (validate, udpa, …): annotations double the size and are read by nobody here.
  const excludeTypes = execFileSync(python, [join(here, 'descriptors.py'), descriptors], { encoding: 'utf8' })
    .trim()
    .split('\n');
  const out = join(here, '../src/gen');
  rmSync(out, { recursive: true, force: true });
  const plugin = { local: 'protoc-gen-es', out, opt: ['target=ts', 'import_extension=js'] };
  const template = {
    version: 'v2',
    plugins: [plugin],
    inputs: [{ binary_image: descriptors, types, exclude_types: excludeTypes }, { directory: join(here, 'istio') }],
  };
  const templateFile = join(work, 'buf.gen.yaml');
  writeFileSync(templateFile, JSON.stringify(template));
  execFileSync('buf', ['generate', '--template', templateFile], { stdio: 'inherit' });
  // The runtime brings the well-known types; generated imports already point there.
  rmSync(join(out, 'google/protobuf'), { recursive: true, force: true });
} finally {
  rmSync(work, { recursive: true, force: true });
}
