"""What the collector and its peer are set up with in run.py."""

from __future__ import annotations

PEER_RECEIVE = """\
receivers: {{otlp: {{protocols: {{grpc: {{endpoint: "{host}:4317", max_recv_msg_size_mib: 64}}}}}}}}
processors: {{batch: {{}}}}
exporters: {{nop: {{}}}}
service:
  telemetry: {{metrics: {{level: none}}, logs: {{level: error}}}}
  pipelines:
    metrics: {{receivers: [otlp], processors: [batch], exporters: [nop]}}
    traces: {{receivers: [otlp], processors: [batch], exporters: [nop]}}
    logs: {{receivers: [otlp], processors: [batch], exporters: [nop]}}
"""

PEER_PATH = """\
receivers: {{otlp: {{protocols: {{grpc: {{endpoint: "{host}:4317", max_recv_msg_size_mib: 64}}}}}}}}
processors: {{batch: {{}}}}
exporters:
  prometheusremotewrite:
    endpoint: "http://127.0.0.1:{sink}/api/v1/write"
    remote_write_queue: {{enabled: true, queue_size: 10000, num_consumers: 5}}
service:
  telemetry: {{metrics: {{level: none}}, logs: {{level: error}}}}
  pipelines: {{metrics: {{receivers: [otlp], processors: [batch], exporters: [prometheusremotewrite]}}}}
"""

OUR_PATH = """\
extensions:
  vigia_auth:
    directory: {{file: "{folder}/customers.yaml"}}
  file_storage: {{directory: "{folder}/log"}}
receivers:
  otlp: {{protocols: {{grpc: {{endpoint: "{host}:4317", auth: {{authenticator: vigia_auth}}}}}}}}
processors: {{batch: {{}}}}
exporters:
  prometheusremotewrite/cold: {{endpoint: "http://127.0.0.1:{sink}/api/v1/write", required: true}}
service:
  extensions: [vigia_auth, file_storage]
  telemetry: {{metrics: {{address: "{host}:8888"}}}}
  pipelines: {{metrics: {{receivers: [otlp], processors: [batch], exporters: [prometheusremotewrite/cold]}}}}
"""

OTLP_PATH = """\
extensions:
  vigia_auth:
    directory: {{file: "{folder}/customers.yaml"}}
  file_storage: {{directory: "{folder}/log"}}
receivers:
  otlp: {{protocols: {{grpc: {{endpoint: "{host}:4317", auth: {{authenticator: vigia_auth}}}}}}}}
processors: {{{first}batch: {{}}}}
exporters:
  otlphttp/cold: {{endpoint: "http://127.0.0.1:{sink}", compression: none, required: true}}
service:
  extensions: [vigia_auth, file_storage]
  telemetry: {{metrics: {{address: "{host}:8888"}}}}
  pipelines:
    traces: {{receivers: [otlp], exporters: [otlphttp/cold]}}
    logs: {{receivers: [otlp], processors: [{names}batch], exporters: [otlphttp/cold]}}
"""

PEER_OTLP_PATH = """\
receivers: {{otlp: {{protocols: {{grpc: {{endpoint: "{host}:4317", max_recv_msg_size_mib: 64}}}}}}}}
processors: {{{first}batch: {{}}}}
exporters:
  otlp: {{endpoint: "127.0.0.1:{sink}", compression: none, tls: {{insecure: true}}}}
service:
  telemetry: {{metrics: {{level: none}}, logs: {{level: error}}}}
  pipelines:
    traces: {{receivers: [otlp], processors: [batch], exporters: [otlp]}}
    logs: {{receivers: [otlp], processors: [{names}batch], exporters: [otlp]}}
"""

# What is acknowledged is on disk, as ours is: the exporter's queue in a file that is synced, no batch in memory before it.
PEER_OTLP_DISK_PATH = """\
receivers: {{otlp: {{protocols: {{grpc: {{endpoint: "{host}:4317", max_recv_msg_size_mib: 64}}}}}}}}
processors: {{{first}memory_limiter: {{check_interval: 1s, limit_mib: 4096}}}}
extensions: {{file_storage: {{directory: "{folder}", fsync: true}}}}
exporters:
  otlp:
    endpoint: "127.0.0.1:{sink}"
    compression: none
    tls: {{insecure: true}}
    sending_queue: {{storage: file_storage, queue_size: 10000}}
service:
  extensions: [file_storage]
  telemetry: {{metrics: {{level: none}}, logs: {{level: error}}}}
  pipelines:
    traces: {{receivers: [otlp], processors: [memory_limiter], exporters: [otlp]}}
    logs: {{receivers: [otlp], processors: [{names}memory_limiter], exporters: [otlp]}}
"""

RENAME = (
    "attributes/rename: {actions: [{key: renamed.0, from_attribute: load.attribute.0, action: insert}, "
    "{key: load.attribute.0, action: delete}]}, "
)

CUSTOMERS = "customers: [{id: load, tokens: [{token: load, scope: ingest}]}]\n"
