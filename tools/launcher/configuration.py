"""The configuration files of a Vigía on one machine, written from a Layout. The programs check them themselves."""

from __future__ import annotations

import re
import string
from pathlib import Path

from launcher.layout import AgentPlace, Layout
from launcher.paths import ROOT

# Secrets reach the programs by environment (${env:…}); Prometheus reads the internal token from a file of mode 0600.
INTERNAL_TOKEN_FILE = "internal_token"


def collector(layout: Layout) -> str:
    return f"""\
extensions:
  health_check: {{endpoint: {layout.address("collector_health")}}}
  vigia_auth:
    directory:
      url: {layout.url("monitor_internal")}/snapshot
      token: "${{env:VIGIA_INTERNAL_TOKEN}}"
      cache_file: {layout.data}/collector-directory.json
  file_storage: {{directory: {layout.data}/collector}}
receivers:
  otlp:
    protocols:
      grpc: {{endpoint: {layout.address("collector_grpc")}, auth: {{authenticator: vigia_auth}}}}
      http: {{endpoint: {layout.address("collector_http")}, auth: {{authenticator: vigia_auth}}}}
processors:
  memory_limiter: {{limit_mib: 512}}
  batch: {{}}
exporters:
  prometheus: {{endpoint: {layout.address("collector_exporter")}}}
  prometheusremotewrite/hot-0: {{endpoint: {layout.url("hot")}/api/v1/write}}
  prometheusremotewrite/cold:
    endpoint: {layout.url("storage")}/api/v1/write
    required: true
    headers: {{Authorization: "Bearer ${{env:VIGIA_INTERNAL_TOKEN}}"}}
  otlphttp/cold:
    endpoint: {layout.url("storage")}
    required: true
    headers: {{Authorization: "Bearer ${{env:VIGIA_INTERNAL_TOKEN}}"}}
service:
  extensions: [health_check, vigia_auth, file_storage]
  telemetry: {{metrics: {{address: {layout.address("collector_metrics")}}}}}
  pipelines:
    metrics:
      receivers: [otlp]
      processors: [memory_limiter, batch]
      exporters: [prometheus, prometheusremotewrite/hot-0, prometheusremotewrite/cold]
    traces: {{receivers: [otlp], exporters: [otlphttp/cold]}}
    logs: {{receivers: [otlp], exporters: [otlphttp/cold]}}
"""


def agent(layout: Layout, place: AgentPlace) -> str:
    grpc, http = layout.ports["collector_grpc"], layout.ports["collector_http"]
    return f"""\
customer: {{id: {place.customer_id}, name: {place.customer_name}}}
node: {{id: {place.node_id}, region: {place.region}}}
environment: production
collector: {{endpoint: "{layout.url("collector_grpc")}", protocol: grpc, token: "${{env:VIGIA_TOKEN}}"}}
interval: {layout.agent_interval}
health: {{listen: {place.host}:{layout.ports["agent_health"]}}}
relay: {{grpc: {place.relay_host}:{grpc}, http: {place.relay_host}:{http}}}
buffer: {{directory: {layout.data}/{place.name}, bytes_max: 512MiB, age_max: 24h}}
"""


def storage_folder(layout: Layout) -> Path:
    """Of each kind of store another: neither is ever opened as the other."""
    return layout.data / ("storage-cassandra" if layout.with_cassandra else "storage")


def _store(layout: Layout) -> str:
    folder = storage_folder(layout)
    if not layout.with_cassandra:
        return f"{{rocksdb: {{directory: {folder}}}}}"
    return f"""
  cassandra:
    directory: {folder}
    contact_points: ["{layout.address("cassandra")}"]
    replication_factor: 1"""


def storage(layout: Layout) -> str:
    return f"""\
listen: {layout.address("storage")}
metrics: {{listen: {layout.address("storage_metrics")}}}
internal_token: "${{env:VIGIA_INTERNAL_TOKEN}}"
store: {_store(layout)}
heal: {{prometheus: "{layout.url("hot")}"}}
retention: {{raw: 400d, rollup_5m: 2y, rollup_1h: 2y, rollup_1d: 5y, traces: 30d, logs: 30d}}
"""


def router(layout: Layout) -> str:
    return f"""\
listen: {layout.address("router")}
metrics: {{listen: {layout.address("router_metrics")}}}
directory:
  url: {layout.url("monitor_internal")}/snapshot
  token: "${{env:VIGIA_INTERNAL_TOKEN}}"
  cache_file: {layout.data}/router-directory.json
hot: {{shards: [{{name: hot-0, url: "{layout.url("hot")}"}}]}}
query: {{url: "{layout.url("query")}"}}
cold: {{url: "{layout.url("storage")}", token: "${{env:VIGIA_INTERNAL_TOKEN}}"}}
edge: {layout.edge}
"""


def monitor(layout: Layout, portal: Path) -> str:
    return f"""\
listen: {layout.address("monitor")}
internal_listen: {layout.address("monitor_internal")}
database: sqlite://{layout.data}/monitor.db
internal_token: "${{env:VIGIA_INTERNAL_TOKEN}}"
router: {{url: "{layout.url("router")}"}}
prometheus: [{{name: hot-0, url: "{layout.url("hot")}", rules_directory: {layout.data}/rules/hot-0}}]
alertmanager: {{url: "{layout.url("alertmanager")}", config_file: {layout.data}/alertmanager.yml}}
bootstrap: {{operator: {{user: admin, password: "${{env:VIGIA_ADMIN_PASSWORD}}"}}}}
portal: {{directory: {portal}}}
nodes: {{allow_loopback: true}}
alerting:
  node_down_for: {layout.node_down_for}
  collector_unreachable_for: {layout.collector_unreachable_for}
  outage_grace: {layout.outage_grace}
  webhook: "{layout.url("webhook")}/"
public:
  collector_grpc: "{layout.url("collector_grpc")}"
  collector_http: "{layout.url("collector_http")}"
  router: "{layout.url("router")}"
"""


def _prometheus(template: str, layout: Layout) -> str:
    text = (ROOT / "deploy" / "prometheus" / template).read_text()
    return string.Template(text).substitute(
        HOT_ADDRESS=layout.address("hot"),
        QUERY_ADDRESS=layout.address("query"),
        STORAGE_ADDRESS=layout.address("storage"),
        STORAGE_METRICS_ADDRESS=layout.address("storage_metrics"),
        ROUTER_METRICS_ADDRESS=layout.address("router_metrics"),
        MONITOR_INTERNAL_ADDRESS=layout.address("monitor_internal"),
        COLLECTOR_METRICS_ADDRESS=layout.address("collector_metrics"),
        ALERTMANAGER_ADDRESS=layout.address("alertmanager"),
        RULES_DIRECTORY=f"{layout.data}/rules/hot-0",
        INTERNAL_TOKEN_FILE=layout.config / INTERNAL_TOKEN_FILE,
    )


def prometheus_hot(layout: Layout) -> str:
    """The template's scrape interval is the seed's 30 s, 15 s for our own parts; only a test asks for another."""
    text = _prometheus("prometheus-hot.yml", layout)
    if layout.scrape_interval == "30s":
        return text
    return re.sub("scrape_interval: (30|15)s", f"scrape_interval: {layout.scrape_interval}", text)


def prometheus_query(layout: Layout) -> str:
    return _prometheus("prometheus-query.yml", layout)


def write_all(layout: Layout, agents: list[AgentPlace], internal_token: str, portal: Path) -> None:
    """Writes every file into layout.config, and makes the folders that the parts expect to be there."""
    layout.config.mkdir(parents=True, exist_ok=True)
    (layout.data / "rules" / "hot-0").mkdir(parents=True, exist_ok=True)
    files = {
        "collector.yaml": collector(layout),
        "storage.yaml": storage(layout),
        "router.yaml": router(layout),
        "monitor.yaml": monitor(layout, portal),
        "prometheus-hot.yml": prometheus_hot(layout),
        "prometheus-query.yml": prometheus_query(layout),
        **{f"{place.name}.yaml": agent(layout, place) for place in agents},
    }
    for name, text in files.items():
        (layout.config / name).write_text(text)
    token_file = layout.config / INTERNAL_TOKEN_FILE
    token_file.touch(mode=0o600)
    token_file.write_text(internal_token)
    alertmanager_config = layout.data / "alertmanager.yml"
    if not alertmanager_config.exists():
        # Alertmanager starts before the monitor has written the real one.
        alertmanager_config.write_text("route: {receiver: none}\nreceivers: [{name: none}]\n")
