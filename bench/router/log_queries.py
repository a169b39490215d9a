"""What log queries take through the router: a filter that hardly any line passes, the newest lines, counts, and lists.

Real storage and router of VIGIA_BIN (default: the release build), one customer. Prints one line a query: seconds, lines and
MB of their texts that were looked at, a second and a CPU second of both programs together.

    PYTHONPATH=tools:tests/integration python3 bench/router/log_queries.py --lines 500000
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

import requests
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from otlp import PROTOBUF, attributes
from stack import Stack

DIRECTORY = "customers: [{id: cliente-a, name: A, tokens: [{token: read-a, scope: read}]}]\n"
STREAMS = 20
OF_A_REQUEST = 5_000
ALL = '{service_name=~".+"}'
# In front of a filter it keeps the router from sending that to storage, and does nothing else.
HERE = '| __error__=""'
QUERIES: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("newest 100", "query_range", {"query": '{service_name="service-3"}', "limit": "100"}),
    ("filter, few lines pass", "query_range", {"query": f'{ALL} |= "needle"'}),
    ("regex, few lines pass", "query_range", {"query": f'{ALL} |~ "(?i)need(le|ful)"'}),
    ("filter, one stream", "query_range", {"query": '{service_name="service-3"} |~ "need(le|ful)"'}),
    ("filter in the router", "query_range", {"query": f'{ALL} {HERE} |= "needle"'}),
    ("all lines pass, counted", "query", {"query": f'sum(count_over_time({ALL} |= "found" [2h]))'}),
    ("all lines pass, 5,000 shown", "query_range", {"query": f'{ALL} |= "found"', "limit": "5000"}),
    (
        "json stage behind a filter",
        "query",
        {"query": 'sum(count_over_time({service_name="service-0"} |= "found" | json | took > 900 [2h]))'},
    ),
    (
        "volume by level",
        "query_range",
        {"query": "sum by (level, detected_level) (count_over_time({service_name=~`.+`}[1m]))", "step": "60"},
    ),
    ("labels", "labels", {}),
    ("index/stats", "index/stats", {"query": ALL}),
    ("index/volume", "index/volume", {"query": ALL}),
    ("detected_fields", "detected_fields", {"query": ALL}),
)


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def send(stack: Stack, lines: int, first_ns: int, step_ns: int) -> None:
    headers = {
        **PROTOBUF,
        "Authorization": f"Bearer {stack.secrets['internal_token']}",
        "X-Vigia-Customer": "cliente-a",
    }
    for begin in range(0, lines, OF_A_REQUEST):
        request = ExportLogsServiceRequest()
        scopes = []
        for stream in range(STREAMS):
            entry = request.resource_logs.add()
            resource = {"customer.id": "cliente-a", "service.name": f"service-{stream}", "node.id": f"n{stream % 4}"}
            entry.resource.attributes.extend(attributes(resource))
            scopes.append(entry.scope_logs.add())
        for number in range(begin, min(begin + OF_A_REQUEST, lines)):
            word = "needle" if number % 100_000 == 50_003 else "hay"
            if number % STREAMS == 0:
                text = f'{{"request":{number},"took":{number % 977},"what":"found {word}","rest":"{"x" * 80}"}}'
            else:
                text = (
                    f"request {number} from 10.0.0.{number % 250} took {number % 977} ms and found {word} " + "x" * 80
                )
            scopes[number % STREAMS].log_records.add(
                time_unix_nano=first_ns + number * step_ns, severity_text="INFO", body=AnyValue(string_value=text)
            )
        answer = requests.post(
            f"{stack.layout.url('storage')}/v1/logs", data=request.SerializeToString(), headers=headers, timeout=60
        )
        assert answer.status_code == 200, answer.text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=500_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, Stack(Path(folder)) as stack:
        (stack.layout.config / "customers.yaml").write_text(DIRECTORY)
        file = stack.layout.config / "router.yaml"
        kept = [line for line in file.read_text().splitlines() if not line.startswith(("directory", "  "))]
        file.write_text("\n".join([*kept, f"directory: {{file: {stack.layout.config}/customers.yaml}}"]) + "\n")
        stack.start("storage", "router")
        hour_ns = 3_500_000_000_000
        first_ns = time.time_ns() - hour_ns
        send(stack, arguments.lines, first_ns, hour_ns // arguments.lines)
        pids = [stack.running[name].pid for name in ("storage", "router")]
        for name, path, form in QUERIES:
            before = [cpu_seconds(pid) for pid in pids]
            began = time.monotonic()
            answer = requests.get(
                f"{stack.layout.url('router')}/loki/api/v1/{path}",
                params={**form, "start": str(first_ns), "time": str(time.time_ns())},
                headers={"Authorization": "Bearer read-a"},
                timeout=120,
            )
            took = time.monotonic() - began
            used = [cpu_seconds(pid) - at for pid, at in zip(pids, before, strict=True)]
            assert answer.status_code == 200, answer.text
            data = answer.json().get("data")
            looked = data["stats"]["summary"] if isinstance(data, dict) and "stats" in data else {}
            lines, size = looked.get("totalLinesProcessed", 0), looked.get("totalBytesProcessed", 0)
            print(
                f"{name}: {took:.3f} s, {lines:,} lines, {size / 1e6:.1f} MB, {size / took / 1e6:.1f} MB/s, "
                f"CPU storage {used[0]:.2f} s, router {used[1]:.2f} s: {size / max(sum(used), 0.005) / 1e6:.0f} MB/CPU-s"
            )


if __name__ == "__main__":
    main()
