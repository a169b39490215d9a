"""A router with real stores behind it, whose samples a test knows."""

from __future__ import annotations

import time
from typing import Any

import requests
from remote_write import sample_with_exemplar, series_bytes, write, write_bytes
from stack import Stack, wait_for

MINUTE_MS = 60_000
DIRECTORY = """\
customers:
  - id: cliente-a
    name: A
    hot_shard: hot-0
    tokens:
      - {token: read-a, scope: read}
      - {token: ingest-a, scope: ingest}
      - {token: expired-a, scope: read, expires: "2020-01-01T00:00:00Z"}
  - {id: cliente-b, name: B, hot_shard: hot-0, tokens: [{token: read-b, scope: read}]}
  - {id: cliente-c, name: C, hot_shard: hot-0, tokens: [{token: read-c, scope: read}]}
operators: [{token: op, scope: read}]
"""
RULES = """\
groups:
  - name: of-cliente-a
    interval: 1s
    rules:
      - {alert: OwnOfA, expr: 'up{customer_id="cliente-a"} == 1', labels: {customer_id: cliente-a}}
  - name: canary-group
    interval: 1s
    rules:
      - {alert: canary_alert, expr: 'b_secret_total{customer_id="cliente-b"} > 0', labels: {customer_id: cliente-b}}
      - {alert: general_alert, expr: 'up == 1'}
"""


class Reading:
    """A router with stores that hold known samples of two customers."""

    def __init__(self, stack: Stack, gap_max: str = "150s") -> None:
        self.stack = stack
        self.url = stack.layout.url("router")
        self.now_ms = int(time.time()) // 60 * MINUTE_MS
        (stack.layout.config / "customers.yaml").write_text(DIRECTORY)
        (stack.layout.data / "rules" / "hot-0").mkdir(parents=True, exist_ok=True)
        (stack.layout.data / "rules" / "hot-0" / "test.yml").write_text(RULES)
        file = stack.layout.config / "router.yaml"
        lines = [line for line in file.read_text().splitlines() if not line.startswith(("directory", "  "))]
        lines += [
            f"directory: {{file: {stack.layout.config}/customers.yaml}}",
            f"heartbeat: {{poll: 200ms, gap_max: {gap_max}}}",
        ]
        file.write_text("\n".join(lines) + "\n")

    def start(self) -> None:
        self.stack.start("storage", "prometheus-hot", "prometheus-query", "router")

    def to_hot(self, labels: dict[str, str], samples: list[tuple[int, float]]) -> None:
        write(self.stack.layout.url("hot"), [(labels, samples)])

    def to_cold(self, labels: dict[str, str], samples: list[tuple[int, float]]) -> None:
        token = self.stack.secrets["internal_token"]
        headers = {"Authorization": f"Bearer {token}", "X-Vigia-Customer": labels["customer_id"]}
        write(self.stack.layout.url("storage"), [(labels, samples)], headers)

    def to_both(self, labels: dict[str, str], samples: list[tuple[int, float]]) -> None:
        self.to_hot(labels, samples)
        self.to_cold(labels, samples)

    def beat(self, count: int, every_ms: int = MINUTE_MS) -> None:
        """So many heartbeats, the newest not older than their distance."""
        newest_ms = int(time.time() * 1000) // every_ms * every_ms
        times = [newest_ms - n * every_ms for n in reversed(range(count))]
        self.to_hot({"__name__": "vigia_hot_heartbeat", "shard": "hot-0"}, [(time_ms, 1.0) for time_ms in times])

    def ask(
        self,
        path: str,
        token: str = "read-a",
        method: str = "GET",
        headers: dict[str, str] | None = None,
        **form: Any,
    ) -> requests.Response:
        pairs = [(k, v) for k, values in form.items() for v in (values if isinstance(values, list) else [values])]
        pairs = [("match[]" if key == "match" else key, value) for key, value in pairs]
        sent = {"Authorization": f"Bearer {token}", **(headers or {})}
        if method == "GET":
            return requests.get(f"{self.url}{path}", params=pairs, headers=sent, timeout=30)
        return requests.request(method, f"{self.url}{path}", data=pairs, headers=sent, timeout=30)

    def result(self, query: str, token: str = "read-a", **form: Any) -> list[dict[str, Any]]:
        answer = self.ask("/api/v1/query", token, query=query, **form)
        assert answer.status_code == 200, answer.text
        result: list[dict[str, Any]] = answer.json()["data"]["result"]
        return result

    def customers(self, query: str, token: str = "read-a", **form: Any) -> list[str]:
        found = {entry["metric"].get("customer_id", "") for entry in self.result(query, token, **form)}
        return sorted(found)


def fill(reading: Reading) -> None:
    times = [(reading.now_ms - n * MINUTE_MS, 100.0 - n) for n in reversed(range(60))]
    old = [(reading.now_ms - 10 * 86_400_000 + n * MINUTE_MS, float(n)) for n in range(60)]
    for customer, job, extra in (("cliente-a", "x", "mine"), ("cliente-b", "canary_job", "canary_value")):
        labels = {"customer_id": customer, "node_id": f"{extra}_node"}
        reading.to_both({"__name__": "up", "job": job, **labels}, [(t, 1.0) for t, _ in times])
        name = "a_own_total" if customer == "cliente-a" else "b_secret_total"
        reading.to_both({"__name__": name, f"{extra}_label": extra, **labels}, times)
        reading.to_cold({"__name__": f"{name}_old", f"{extra}_old_label": extra, **labels}, old)
        traced = sample_with_exemplar(*times[-1], f"{extra}_trace")
        traced = series_bytes({"__name__": name, f"{extra}_label": extra, **labels}, traced)
        assert write_bytes(reading.stack.layout.url("hot"), traced).ok
    reading.beat(56)
    wait_for("hot covers the last minutes", lambda: is_hot(reading.ask("/api/v1/query", query="up")), 90)


def is_hot(answer: requests.Response) -> bool:
    return answer.headers.get("X-Vigia-Served", "").startswith("hot=") and "warnings" not in answer.json()


def is_cold(answer: requests.Response) -> bool:
    return answer.headers.get("X-Vigia-Served", "").startswith("cold:raw=")
