"""A collector whose pipelines have processors between one door and one destination: its file, and the site where it runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from collector_lanes import Lanes

_COLLECTOR = """
extensions:
  health_check: {{endpoint: "{host}:13133"}}
  vigia_auth: {{directory: {{file: "{folder}/customers.yaml"}}}}
  file_storage: {{directory: "{folder}/log"}}
receivers:
  otlp: {{protocols: {{http: {{endpoint: "{host}:4318", auth: {{authenticator: vigia_auth}}}}}}}}
processors:
  memory_limiter: {{limit_mib: 512}}
{processors}
exporters:
  otlphttp/cold: {{endpoint: "{cold}", required: true{more}}}
service:
  extensions: [health_check, vigia_auth, file_storage]
  telemetry: {{metrics: {{address: "{host}:8888"}}}}
  pipelines:
{pipelines}
"""


@dataclass(frozen=True)
class Processing:
    """The lines below `processors:` and `pipelines:` as they stand in the file; memory_limiter is there already."""

    processors: str
    pipelines: str

    def text(self, folder: Path, host: str, cold: str, more: str = "") -> str:
        """The whole file. `more`: further keys of the exporter, each with its comma before it."""
        return _COLLECTOR.format(
            folder=folder,
            host=host,
            cold=cold,
            more=more,
            processors=self.processors.strip("\n"),
            pipelines=self.pipelines.strip("\n"),
        )

    def running(self, folder: Path) -> Iterator[Lanes]:
        """For a fixture: the collector, ready, and a destination that takes what comes."""
        lanes = Lanes(folder)
        try:
            lanes.serve()
            (folder / "collector.yaml").write_text(self.text(folder, lanes.host, lanes.destination_url))
            lanes.start("collector")
            yield lanes
        finally:
            lanes.end()
