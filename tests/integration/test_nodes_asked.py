"""Nodes that are asked for their health: they are customers' machines, and may answer anything."""

from __future__ import annotations

import math
import os
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
from launcher.layout import beside, demo_agents
from remote_write import sized, varint
from stack import Running, Stack, wait_for
from two_customers import add_two_customers, operator_of, up_of

TEXT = "text/plain; version=0.0.4"
GOOD = "# TYPE agent_healthy gauge\nagent_healthy 1\n"  # what is passed on of b"agent_healthy 1\n"


@contextmanager
def _node(host: str, content: bytes, kind: str = TEXT, is_endless: bool = False) -> Iterator[tuple[str, list[str]]]:
    """A customer's machine that answers so, again and again where it is endless; its address, and what it was asked for."""
    asked: list[str] = []

    class Node(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # noqa: N802 (the base class names it so)
            asked.append(self.headers.get("Accept", ""))
            self.send_response(200)
            self.send_header("Content-Type", kind)
            if not is_endless:
                self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
            with suppress(OSError):
                while is_endless:
                    self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class names it so)
            """Quiet."""

    server = ThreadingHTTPServer((host, 8080), Node)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"{host}:8080", asked
    finally:
        server.shutdown()
        server.server_close()


def test_a_nodes_own_answer_cannot_break_the_rules(tmp_path: Path) -> None:
    """B2 without a token: what a node's /health serves twice under labels of alerts."""
    with Stack(tmp_path) as stack:
        stack.start("webhook", "alertmanager", "monitor", "prometheus-hot")
        operator = operator_of(stack)
        add_two_customers(operator)
        lines = [f'agent_collector_reachable{{severity="{one}",alertname="{one}"}} 0\n' for one in "abc"]
        with _node(beside(stack.layout.host, 98), "".join(lines).encode()) as (address, _):
            operator.good("POST", "/customers/cliente-a/nodes", {"id": "evil", "address": address})
            hot = stack.layout.url("hot")

            def scraped() -> list[dict[str, Any]]:
                query = {"query": "agent_collector_reachable"}
                answer = requests.get(f"{hot}/api/v1/query", params=query, timeout=5)
                found: list[dict[str, Any]] = answer.json()["data"]["result"]
                return found

            wait_for("it is scraped", scraped, 30)
            time.sleep(5)
            assert len(scraped()) == 1
            assert not {"severity", "alertname"} & set(scraped()[0]["metric"])
            rules = requests.get(f"{hot}/api/v1/rules", timeout=5).json()["data"]["groups"]
            assert {rule["health"] for group in rules for rule in group["rules"]} == {"ok"}


@contextmanager
def _ever_new_node(host: str) -> Iterator[tuple[str, list[int]]]:
    """A customer's machine that answers each time with series, labels and descriptions that nobody has seen; its address,
    and how many series it has told."""
    told = [0]

    class Node(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # noqa: N802 (the base class names it so)
            lines = ["# TYPE agent_uptime_seconds gauge", "agent_uptime_seconds 5 1000"]
            new = os.urandom(8).hex()
            lines += [f'agent_x{{a="{new}{"p" * 500}",b="{i}"}} 1' for i in range(95)]
            lines += [f'agent_buffer_dropped_total{{reason="{new}{i}"}} 1' for i in range(95)]
            lines += [f"# HELP agent_{new}_{i} {new}{'h' * 30_000}" for i in range(4)]
            told[0] += 190
            content = "\n".join([*lines, ""]).encode()
            self.send_response(200)
            self.send_header("Content-Type", TEXT)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class names it so)
            """Quiet."""

    server = ThreadingHTTPServer((host, 8080), Node)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"{host}:8080", told
    finally:
        server.shutdown()
        server.server_close()


AGENT_SERIES = 33  # of one node: services/monitor/live/agent_series.hpp
TARGET_SERIES = 8  # up, and what Prometheus notes of a scrape


@pytest.mark.long(40)
def test_a_node_makes_the_same_few_series_whatever_it_answers(tmp_path: Path) -> None:
    """34 times its customer's limit of series stood in hot and cold after a minute, for hours, and 60 nodes with nothing
    but descriptions took hot four times its memory."""
    nodes = 4
    with Stack(tmp_path) as stack, ExitStack() as held:
        stack.start_central()
        operator = operator_of(stack)
        good, _ = held.enter_context(_node(beside(stack.layout.host, 99), b"agent_healthy 1\n"))
        operator.good("POST", "/customers/cliente-b/nodes", {"id": "good", "address": good})
        address, told = held.enter_context(_ever_new_node(beside(stack.layout.host, 98)))
        hot = f"{stack.layout.url('hot')}/api/v1"

        def in_hot(query: str) -> float:
            found = requests.get(f"{hot}/query", params={"query": query}, timeout=10).json()["data"]["result"]
            return float(found[0]["value"][1]) if found else 0

        # Over all that was seen of late, so that what came once is there too.
        of_nodes = 'count(last_over_time({job="customer-agents",node_id=~"evil-.*"}[10m]))'
        # Its own: hot scrapes the Prometheus that serves queries as well, whose head is empty.
        own_head = 'prometheus_tsdb_head_series{job="prometheus"}'
        wait_for("hot sees its own head", lambda: in_hot(own_head) > 0, 30)
        for i in range(nodes):
            operator.good("POST", "/customers/cliente-a/nodes", {"id": f"evil-{i}", "address": address})
        wait_for("ten scrapes of each", lambda: told[0] >= 190 * nodes * 10, 60)
        wait_for("and B's node", lambda: up_of(stack, "good") == "1", 30)
        # Twice as many: `waiting` is a label of a target until its first data.
        bound = nodes * (AGENT_SERIES + TARGET_SERIES) * 2
        assert in_hot(of_nodes) <= bound
        own = 'count(agent_uptime_seconds{node_id=~"evil-.*",waiting=""} == 5)'
        wait_for("its health is there", lambda: in_hot(own) == nodes, 30)
        assert in_hot('min(up{node_id=~"evil-.*",waiting=""})') == 1
        described = requests.get(f"{hot}/targets/metadata", timeout=10).json()["data"]
        names = {one["metric"] for one in described if one["target"].get("node_id", "").startswith("evil-")}
        assert names == {"agent_uptime_seconds"}, names
        cold = stack.query('count(last_over_time({node_id=~"evil-.*"}[10m]))')
        assert float(cold[0]["value"][1]) <= bound
        # The second fence, in Prometheus' own configuration, had nothing to do.
        assert in_hot('max(scrape_samples_scraped{node_id=~"evil-.*"})') == 1
        shown = stack.own_metrics("monitor_internal")
        assert shown['vigia_monitor_scrape_lines_left_out_total{reason="unknown"}'] >= 190 * nodes * 10 - 190
        assert shown['vigia_monitor_scrape_lines_left_out_total{reason="malformed"}'] == 0
        head = in_hot(own_head)
        before = told[0]
        wait_for("ten more of each", lambda: told[0] >= before + 190 * nodes * 10, 60)
        wait_for("hot has seen itself again", lambda: in_hot(f"time() - timestamp({own_head})") < 2, 30)
        assert in_hot(own_head) - head < 190, "it makes no more"


def test_all_that_an_agent_tells_of_itself_is_passed_on(tmp_path: Path) -> None:
    place = demo_agents()[0]
    with Stack(tmp_path, agents=[place]) as stack:
        stack.start_central()
        agent = stack.agents[0]
        address = f"{agent.host}:{stack.layout.ports['agent_health']}"
        operator = operator_of(stack)
        operator.good("PATCH", f"/customers/cliente-a/nodes/{agent.node_id}", {"address": address})
        stack.start(agent.name)
        wait_for("it is asked, and answers", lambda: up_of(stack, agent.node_id) == "1", 60)
        token = {"Authorization": f"Bearer {stack.secrets['internal_token']}"}
        path = f"{stack.layout.url('monitor_internal')}/nodes/cliente-a/{agent.node_id}/scrape"

        def lines_of(answer: requests.Response) -> tuple[set[str], set[str]]:
            lines = answer.text.splitlines()
            series = {line.rpartition(" ")[0] for line in lines if not line.startswith("#")}
            return series, {line for line in lines if line.startswith("# TYPE")}

        told = lines_of(requests.get(f"http://{address}/health", headers={"Accept": TEXT}, timeout=5))
        assert lines_of(requests.get(path, headers=token, timeout=5)) == told
        assert AGENT_SERIES - 1 <= len(told[0]) <= AGENT_SERIES, "the offset of its clock is not known at once"
        shown = stack.own_metrics("monitor_internal")
        left_out = {name: value for name, value in shown.items() if "scrape_lines_left_out" in name}
        assert len(left_out) == 3
        assert set(left_out.values()) == {0}, left_out


def _endless_histogram() -> bytes:
    """A native histogram as a client answers a scrape in protobuf, whose zero threshold is not a number."""
    threshold = bytes([6 << 3 | 1]) + struct.pack("<d", math.nan)
    buckets = sized(12, b"\x08\x00\x10\x01") + sized(13, b"\x02")
    histogram = b"\x08\x01" + bytes([2 << 3 | 1]) + struct.pack("<d", 1.0) + b"\x28\x00" + threshold + buckets
    family = sized(1, b"agent_endless") + b"\x18\x04" + sized(4, sized(7, histogram))
    return varint(len(family)) + family


def test_what_a_node_answers_in_protobuf_never_reaches_hot_as_such(tmp_path: Path) -> None:
    """Prometheus chooses its parser by the answer's own type; one such histogram, and its queries never end."""
    with Stack(tmp_path) as stack:
        stack.start("webhook", "alertmanager", "monitor", "prometheus-hot")
        operator = operator_of(stack)
        add_two_customers(operator)
        kind = "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"
        with _node(beside(stack.layout.host, 98), _endless_histogram(), kind) as (address, asked):
            operator.good("POST", "/customers/cliente-a/nodes", {"id": "evil", "address": address})
            wait_for("it is asked three times", lambda: len(asked) >= 3, 30)
            assert set(asked) == {"text/plain;version=0.0.4"}
            hot = f"{stack.layout.url('hot')}/api/v1"
            found = requests.get(f"{hot}/series", params={"match[]": "agent_endless"}, timeout=5).json()["data"]
            assert found == []
            up = requests.get(f"{hot}/query", params={"query": 'up{node_id="evil"}'}, timeout=5).json()["data"][
                "result"
            ]
            assert [one["value"][1] for one in up] == ["0"], "what is no text is no health"
            query = {"query": "sum_over_time({__name__=~'agent_.*'}[1m])", "timeout": "3s"}
            assert requests.get(f"{hot}/query", params=query, timeout=5).status_code == 200


def test_nodes_that_hang_or_answer_without_end_cost_their_customer_alone(tmp_path: Path) -> None:
    with Stack(tmp_path) as stack, ExitStack() as held:
        stack.start("alertmanager", "monitor")
        operator = operator_of(stack)
        add_two_customers(operator)
        host = beside(stack.layout.host, 97)
        held.enter_context(socket.create_server((host, 8080), backlog=1024))  # takes connections, and that is all
        endless, _ = held.enter_context(_node(beside(stack.layout.host, 98), b"x 1\n" * 16_384, is_endless=True))
        good, _ = held.enter_context(_node(beside(stack.layout.host, 99), b"agent_healthy 1\n"))
        for customer, node, address in (("a", "hangs", f"{host}:8080"), ("a", "endless", endless), ("b", "good", good)):
            operator.good("POST", f"/customers/cliente-{customer}/nodes", {"id": node, "address": address})
        token = {"Authorization": f"Bearer {stack.secrets['internal_token']}"}

        def ask(path: str) -> requests.Response:
            return requests.get(stack.layout.url("monitor_internal") + path, headers=token, timeout=15)

        assert ask("/nodes/cliente-a/endless/scrape").status_code == 502
        place = (stack.layout.host, stack.layout.ports["monitor_internal"])
        path = "/nodes/cliente-a/hangs/scrape"
        request = f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: {token['Authorization']}\r\n\r\n".encode()
        waiting = [held.enter_context(socket.create_connection(place, 15)) for _ in range(600)]
        for one in waiting:
            one.sendall(request)
        begun = time.monotonic()
        for _ in range(5):
            answer = ask("/nodes/cliente-b/good/scrape")
            assert (answer.status_code, answer.text) == (200, GOOD)
        assert time.monotonic() - begun < 2, "nobody else waits"
        statuses = [one.recv(12)[9:] for one in waiting]
        # A busy machine may refuse more than the share does: while a node's place is looked up, only so many may wait.
        asked, refused = statuses.count(b"502"), statuses.count(b"503")
        assert asked + refused == 600, statuses
        assert 0 < asked <= 512, "its share, and what is over it"
        assert ask("/nodes/cliente-a/endless/scrape").status_code == 502, "the share is given back"
        status = Path(f"/proc/{stack.running['monitor'].pid}/status").read_text()
        assert int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) < 200 * 1024


def test_a_node_whose_health_has_tls_is_asked_by_https(tmp_path: Path) -> None:
    """Its agent offers TLS, and the targets named no scheme: it was red for ever."""
    place = demo_agents()[0]
    with Stack(tmp_path, agents=[place]) as stack:
        key, certificate = tmp_path / "health.key", tmp_path / "health.crt"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=node",
             "-keyout", str(key), "-out", str(certificate)],
            check=True, capture_output=True,
        )  # fmt: skip
        agent = stack.agents[0]
        config = stack.layout.config / f"{agent.name}.yaml"
        port = stack.layout.ports["agent_health"]
        listen = f"listen: {agent.host}:{port}"
        tls = f"{listen}, tls: {{cert_file: {certificate}, key_file: {key}}}"
        config.write_text(config.read_text().replace(listen, tls))
        stack.start_central()
        operator = operator_of(stack)
        operator.good(
            "PATCH", f"/customers/cliente-a/nodes/{agent.node_id}", {"address": f"https://{agent.host}:{port}"}
        )
        command = stack.command(agent.name)
        running = Running(command, stack.folder / "log" / f"{agent.name}.log")
        stack.running[agent.name] = running
        wait_for("it is asked, and answers", lambda: up_of(stack, agent.node_id) == "1", 60)
        node = operator.good("GET", f"/customers/cliente-a/nodes/{agent.node_id}")
        assert (node["reach"], node["address"]) == ("scrape", f"https://{agent.host}:{port}")
        for bad in ("https://169.254.169.254:80", "http://10.0.0.1:80", "https://", "https://x"):
            answer = operator.call("PATCH", f"/customers/cliente-a/nodes/{agent.node_id}", {"address": bad})
            assert answer.status_code == 400, bad


class _NameServer:
    """Gives every name one IPv4 address; of those that hold `silent` it takes the question, and that is all."""

    def __init__(self, host: str, address: str) -> None:
        self.silent = b""
        self._address = socket.inet_aton(address)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((host, 53))
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                question, client = self._socket.recvfrom(512)
                if self.silent and self.silent in question:
                    continue
                end = question.index(b"\0", 12) + 5
                is_ipv4 = question[end - 4 : end - 2] == b"\0\1"
                answer = b"\xc0\x0c\0\1\0\1\0\0\0\0\0\4" + self._address if is_ipv4 else b""
                head = question[:2] + b"\x81\x80\0\1" + struct.pack(">H", is_ipv4) + bytes(4)
                self._socket.sendto(head + question[12:end] + answer, client)

    def close(self) -> None:
        self._socket.close()


def _start_with_names(stack: Stack, name_server: str) -> None:
    """The monitor, with a resolver of its own."""
    settings = stack.folder / "resolv.conf"
    settings.write_text(f"nameserver {name_server}\n")
    command = stack.command("monitor")
    bind = f'mount --bind {settings} /etc/resolv.conf && exec "$0" "$@"'
    words = ["unshare", "--mount", "sh", "-c", bind, *command.words]
    running = Running(replace(command, words=words), stack.folder / "log" / "monitor.log")
    stack.running["monitor"] = running
    running.wait_until_ready()


@pytest.mark.skipif(os.geteuid() != 0, reason="a resolver of its own needs a mount namespace")
def test_a_silent_name_server_of_one_customer_holds_up_nobody_else(tmp_path: Path) -> None:
    """Targets wait for no name, and after a restart only that customer's nodes are not known."""
    with Stack(tmp_path) as stack, ExitStack() as held:
        server = _NameServer(beside(stack.layout.host, 96), beside(stack.layout.host, 98))
        held.callback(server.close)
        address, _ = held.enter_context(_node(beside(stack.layout.host, 98), b"agent_healthy 1\n"))
        stack.start("webhook", "alertmanager")
        _start_with_names(stack, beside(stack.layout.host, 96))
        operator = operator_of(stack)
        add_two_customers(operator)
        for i in range(12):
            node = {"id": f"n{i}", "address": f"n{i}.slow.example:8080"}
            operator.good("POST", "/customers/cliente-a/nodes", node)
        for name, place in (("bare", address), ("named", "good.example:8080")):
            operator.good("POST", "/customers/cliente-b/nodes", {"id": name, "address": place})
        token = {"Authorization": f"Bearer {stack.secrets['internal_token']}"}

        def ask(path: str, seconds: float) -> requests.Response:
            return requests.get(stack.layout.url("monitor_internal") + path, headers=token, timeout=seconds)

        for path in ("a/n3", "b/bare", "b/named"):
            assert ask(f"/nodes/cliente-{path}/scrape", 15).text == GOOD, path
        server.silent = b"\4slow"
        stack.kill("monitor")
        _start_with_names(stack, beside(stack.layout.host, 96))
        shard = "/http_sd/hot-0"
        for _ in range(3):
            assert len(ask(shard, 2).json()) == 14
            for path in ("b/bare", "b/named"):
                assert ask(f"/nodes/cliente-{path}/scrape", 2).text == GOOD, path
        shown = stack.own_metrics("monitor_internal")
        unknown = [name for name in shown if name.startswith("vigia_monitor_node_place_unknown")]
        assert len(unknown) >= 10
        assert all("cliente-a" in name for name in unknown), unknown
        assert shown["vigia_monitor_places_unknown"] == 0, "nobody else's alerts are held"
        operator.good("POST", "/customers/cliente-b/nodes", {"id": "new", "address": address})
        assert len(ask(shard, 2).json()) == 15, "new ones are watched"
        assert ask("/nodes/cliente-b/new/scrape", 2).status_code == 200

        def is_down() -> bool:
            return ask("/nodes/cliente-a/n0/scrape", 15).status_code == 502

        wait_for("a name that was looked up in vain is a node that is down", is_down, 40)
