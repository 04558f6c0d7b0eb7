"""Writes a FileDescriptorSet of the Envoy v3 API (PyPI xds-protos) plus every file that it depends on, and
prints the full name of every option extension in it.

  python3 descriptors.py OUT.binpb
"""
import importlib, sys
from google.protobuf import descriptor_pb2

MODULES = [
    "envoy.service.discovery.v3.ads_pb2",
    "envoy.service.status.v3.csds_pb2",
    "envoy.config.listener.v3.listener_pb2",
    "envoy.config.route.v3.route_pb2",
    "envoy.config.cluster.v3.cluster_pb2",
    "envoy.config.endpoint.v3.endpoint_pb2",
    "envoy.extensions.filters.network.http_connection_manager.v3.http_connection_manager_pb2",
    "envoy.extensions.filters.network.tcp_proxy.v3.tcp_proxy_pb2",
    "envoy.extensions.filters.network.rbac.v3.rbac_pb2",
    "envoy.extensions.filters.http.router.v3.router_pb2",
    "envoy.extensions.filters.http.fault.v3.fault_pb2",
    "envoy.extensions.filters.http.rbac.v3.rbac_pb2",
    "envoy.extensions.filters.http.jwt_authn.v3.config_pb2",
    "envoy.extensions.filters.http.local_ratelimit.v3.local_rate_limit_pb2",
    "envoy.extensions.filters.http.cors.v3.cors_pb2",
    "envoy.extensions.transport_sockets.tls.v3.tls_pb2",
    "envoy.extensions.transport_sockets.tls.v3.secret_pb2",
    "envoy.extensions.upstreams.http.v3.http_protocol_options_pb2",
    "envoy.extensions.filters.listener.tls_inspector.v3.tls_inspector_pb2",
    "envoy.extensions.filters.listener.original_dst.v3.original_dst_pb2",
    "envoy.extensions.rbac.principals.mtls_authenticated.v3.mtls_authenticated_pb2",
    "xds.type.v3.typed_struct_pb2",
    "udpa.type.v1.typed_struct_pb2",
    "google.rpc.status_pb2",
]

seen, out = set(), descriptor_pb2.FileDescriptorSet()


def add(file):
    if file.name in seen:
        return
    seen.add(file.name)
    for dependency in file.dependencies:
        add(dependency)
    file.CopyToProto(out.file.add())


for module in MODULES:
    add(importlib.import_module(module).DESCRIPTOR)
with open(sys.argv[1], "wb") as sink:
    sink.write(out.SerializeToString())


def extensions(container, prefix):
    for extension in container.extension:
        yield f"{prefix}.{extension.name}"


for file in out.file:
    for name in extensions(file, file.package):
        print(name)
