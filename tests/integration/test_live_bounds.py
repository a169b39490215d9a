"""What a look at the live state costs: the router's largest answers, the real monitor's memory, and whom it keeps from being
seen. The answers have the form that the real router gives; a hot store that gives forty MiB takes a minute to fill."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from rest import Caller
from stack import Stack, wait_for
from two_customers import add_two_customers, operator_of

pytestmark = pytest.mark.two_at_a_time  # the monitor's memory

MIB = 1 << 20
MEMORY_MIB_MAX = 256  # half of the unit's MemoryMax
NODES, SERIES = 5_000, 18


def _sample(customer: str, node: str, value: float, **labels: str) -> str:
    metric = {"customer_id": customer, "node_id": node, **labels}
    return json.dumps({"metric": metric, "value": [time.time(), str(value)]}, separators=(",", ":"))


class _Router:
    """Answers as the router does, of the customers that a question names: cliente-b has one node, cliente-a what it is given."""

    def __init__(self) -> None:
        self.largest = 0
        self._health_of_a = ""

    def fill(self, reason: str) -> None:
        self._health_of_a = ",".join(
            _sample("cliente-a", f"n{i}", 1, __name__=f"agent_series_of_some_name_{j}", reason=reason)
            for i in range(NODES)
            for j in range(SERIES)
        )

    def answer(self, question: str) -> bytes:
        rows = []
        if "cliente-b" in question and "agent_" in question:
            is_time = "timestamp(" in question
            name = {} if is_time else {"__name__": "agent_uptime_seconds"}
            if 'job="vigia-agent"' in question:
                rows.append(_sample("cliente-b", "web", time.time() if is_time else 9, **name))
        if "cliente-a" in question and '=~"agent_healthy|' in question:
            rows.append(self._health_of_a)
        body = '{"status":"success","data":{"resultType":"vector","result":[' + ",".join(rows) + "]}}"
        self.largest = max(self.largest, len(body))
        return body.encode()


@contextmanager
def _serving(stack: Stack, router: _Router) -> Iterator[None]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:  # noqa: N802 (the base class names it so)
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            body = router.answer(form["query"][0])
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class names it so)
            """Quiet."""

    server = ThreadingHTTPServer((stack.layout.host, stack.layout.ports["router"]), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


def _peak_mib(stack: Stack) -> int:
    status = Path(f"/proc/{stack.running['monitor'].pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) >> 10


def _node_of_b(operator: Caller) -> str:
    overview = operator.good("GET", "/overview")
    return str(next(n["status"] for c in overview["customers"] if c["id"] == "cliente-b" for n in c["nodes"]))


@pytest.mark.thorough
def test_the_largest_answer_of_one_customer_costs_neither_memory_nor_anothers_live_state(tmp_path: Path) -> None:
    with Stack(tmp_path) as stack:
        router = _Router()
        router.fill("")
        with _serving(stack, router):
            stack.start("webhook", "alertmanager", "monitor")
            operator = operator_of(stack)
            add_two_customers(operator)
            operator.good("POST", "/customers/cliente-b/nodes", {"id": "web"})

            def shown(name: str) -> float:
                return stack.own_metrics("monitor_internal").get(name, 0)

            wait_for("the largest plan is read whole", lambda: shown("vigia_monitor_live_nodes") == NODES + 1, 60)
            assert 8 * MIB < router.largest < 16 * MIB, router.largest
            time.sleep(12)  # two looks more: the old state and the new one are held at once
            assert _node_of_b(operator) == "up"
            assert _peak_mib(stack) < MEMORY_MIB_MAX
            router.fill("r" * 400)
            unseen = 'vigia_monitor_customer_is_unseen{customer_id="cliente-a"}'
            deadline = time.monotonic() + 90
            while shown(unseen) != 1:
                assert time.monotonic() < deadline, "it is shown that nobody can look at it"
                assert _node_of_b(operator) == "up", "another is seen at every look"
                time.sleep(1)
            assert router.largest > 32 * MIB
            assert shown("vigia_monitor_customers_unseen") == 1
            assert shown("vigia_monitor_router_failures_total") < 5, "the router is not away"
            assert _peak_mib(stack) < MEMORY_MIB_MAX, _peak_mib(stack)
