"""Loads of customer A that need something of their own beside them: a store that is sick for A alone, an agent's relay, a node
that is scraped, channels, log-ins, series that are there to be read.
"""

from __future__ import annotations

import gzip
import http.client
import itertools
import json
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import urlencode

import requests
from launcher import configuration
from launcher.control import Control, RequestRefused
from launcher.layout import beside, demo_agents
from neighbour_customer import (
    Around,
    Load,
    Neighbour,
    Place,
    bad_exponential_histogram,
    fresh,
    gauge,
    load,
    now_ns,
    point,
    request,
    resource,
    span,
)
from protobuf_bytes import attribute, fixed64, message
from stack import Stack, wait_for

SERIES_TO_READ = 50_000
POISON = "poison"


@contextmanager
def filled(stack: Stack, place: Place) -> Iterator[None]:
    """50,000 series of 300 bytes that both stores have."""
    own = message(
        1,
        *(attribute(1, k, v) for k, v in {"customer.id": place.customer, "node.id": "n", "service.name": "s"}.items()),
    )
    neighbour = Neighbour(place, 0)
    for first in range(0, SERIES_TO_READ, 10_000):
        at, numbers = now_ns(), range(first, first + 10_000)
        series = [
            gauge("many", point(at, 1.0, ("n", str(n)), ("a", str(n % 50)), ("text", "t" * 200))) for n in numbers
        ]
        neighbour.send("metrics", gzip.compress(request(own, *series), 1))
    assert neighbour.answers == {"200": SERIES_TO_READ // 10_000}, (neighbour.answers, neighbour.why)
    query = f'count({{__name__="many",customer_id="{place.customer}"}})'

    def are_there() -> bool:
        for store in ("hot", "query"):
            answer = requests.get(f"{stack.layout.url(store)}/api/v1/query", {"query": query}, timeout=30).json()
            if int(answer["data"]["result"][0]["value"][1]) < SERIES_TO_READ:
                return False
        return True

    wait_for("A's series are in both stores", are_there, 90, every=0.5)
    yield


@load("40 readers who do not read their answers", "A10, B5", around=filled)
def unread_answers() -> Load:
    """Look-ups of 50,000 series and ranges of all of them: asked for, and never read."""

    def run(neighbour: Neighbour) -> None:
        host, _, port = neighbour.place.layout.address("router").partition(":")
        now = time.time()
        every = {"query": "many", "start": now - 600, "end": now, "step": 5}
        paths = ("/api/v1/series?" + urlencode({"match[]": "many"}), "/api/v1/query_range?" + urlencode(every))
        held = []
        for path in itertools.islice(itertools.cycle(paths), 40):
            one = socket.create_connection((host, int(port)), timeout=10)
            one.sendall(
                f"GET {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {neighbour.place.read_token}\r\n\r\n".encode()
            )
            held.append(one)
        neighbour.answers["unread"] += len(held)
        neighbour.repeat(lambda: None, 0.2)
        for one in held:
            one.close()

    return run


def sick(store: str, answer: str, content: str = "") -> Around:
    """What the collector sends to `store` goes by a proxy that answers A as bench/sick_store.py says, everybody else truly."""

    @contextmanager
    def around(stack: Stack, place: Place) -> Iterator[None]:
        listen, target = (beside(stack.layout.host, 200), stack.layout.ports[store]), stack.layout.address(store)
        words = [sys.executable, str(Path(__file__).with_name("sick_store.py")), "--listen", f"{listen[0]}:{listen[1]}"]
        words += ["--to", target, "--customer", place.customer, "--answer", answer, "--content", content]
        proxy = subprocess.Popen(words)
        file = stack.layout.config / "collector.yaml"
        right = file.read_text()
        try:
            wait_for("the proxy listens", lambda: _listens(listen), every=0.05)
            file.write_text(right.replace(f"endpoint: http://{target}", f"endpoint: http://{listen[0]}:{listen[1]}"))
            _again(stack)
            yield
        finally:
            file.write_text(right)
            _again(stack)
            proxy.kill()
            proxy.wait()

    return around


def _listens(address: tuple[str, int]) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(address) == 0


def _again(stack: Stack) -> None:
    stack.stop("collector")
    stack.start("collector")


def five_thousand_points() -> Load:
    def make(_: int) -> bytes:
        at = now_ns()
        return request(resource(), *(gauge(f"sick_{n % 50}", point(at, 1.0, ("n", str(n)))) for n in range(5_000)))

    return fresh("metrics", make, 0.5)


@load("10,000 points a second, and hot answers 500 for A alone", "A2", around=sick("hot", "500"))
def hot_is_broken() -> Load:
    return five_thousand_points()


@load("10,000 points a second, and hot does not answer for A alone", "A2", around=sick("hot", "hang"))
def hot_hangs() -> Load:
    return five_thousand_points()


@load("10,000 points a second, and storage answers 500 for A alone", "A2", around=sick("storage", "500"))
def storage_is_broken() -> Load:
    return five_thousand_points()


@load("spans and log records one of which storage cannot take", "B3", around=sick("storage", "500", POISON))
def poison() -> Load:
    def logs(number: int) -> bytes:
        at = now_ns()
        texts = [POISON if n == 77 else f"line {number} {n}" for n in range(1_000)]
        return request(resource(), *(fixed64(1, at) + message(5, message(1, text.encode())) for text in texts))

    def spans(_: int) -> bytes:
        at = now_ns()
        return request(resource(), *(span(at, n, at, POISON if n == 77 else "s") for n in range(1_000)))

    senders = (fresh("logs", logs, 0.4), fresh("traces", spans, 0.4))

    def run(neighbour: Neighbour) -> None:
        threads = [Thread(target=send, args=(neighbour,)) for send in senders]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    return run


RELAY_NUMBER = 201  # of the address of A's agent and its relay


@contextmanager
def agent_of_a(stack: Stack, place: Place) -> Iterator[None]:
    host = beside(stack.layout.host, RELAY_NUMBER)
    own = replace(demo_agents()[0], name="agent-load", customer_id=place.customer, host=host, relay_host=host)
    (stack.layout.config / f"{own.name}.yaml").write_text(configuration.agent(stack.layout, own))
    stack.agents.append(own)
    stack.start(own.name)
    yield
    stack.running.pop(own.name).end()
    stack.agents.remove(own)


@load("histograms that no Prometheus takes, by the agent's relay", "B1, D01", around=agent_of_a)
def bad_histograms_by_relay() -> Load:
    def make(_: int) -> bytes:
        return message(1, message(2, message(2, bad_exponential_histogram("relayed", now_ns()))))

    def run(neighbour: Neighbour) -> None:
        layout = neighbour.place.layout
        relay = f"http://{beside(layout.host, RELAY_NUMBER)}:{layout.ports['collector_http']}"
        neighbour.repeat(lambda: neighbour.send("metrics", make(0), "", relay), 0.1)

    return run


NODE_NUMBER = 202
HEALTH = "".join(
    f'{name}{{severity="{word}",alertname="{word}",node_id="n"}} {value}\n'
    for name, value in (("agent_collector_reachable", 0), ("agent_buffer_usage_percent", 99), ("agent_healthy", 0))
    for word in "ab"
)


@contextmanager
def node_of_a(stack: Stack, place: Place) -> Iterator[None]:
    address = f"{beside(stack.layout.host, NODE_NUMBER)}:{stack.layout.ports['agent_health']}"
    node = {"id": "hostile", "region": "r", "environment": "production", "address": address}
    with Control(stack.layout.url("monitor"), "admin", stack.secrets["admin_password"]) as control:
        control.request("POST", f"/customers/{place.customer}/nodes", node)

        def is_target() -> bool:
            targets = requests.get(f"{stack.layout.url('hot')}/api/v1/targets", timeout=5).text
            return f"/nodes/{place.customer}/hostile/" in targets  # vigia-monitor asks it (decision 9)

        wait_for("hot scrapes A's node", is_target, 30)
        yield
        control.request("DELETE", f"/customers/{place.customer}/nodes/hostile")


@load("a scraped node whose /health has the labels severity and alertname", "B2", around=node_of_a)
def labels_in_health() -> Load:
    def run(neighbour: Neighbour) -> None:
        class Health(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                neighbour.answers["scraped"] += 1
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.end_headers()
                self.wfile.write(HEALTH.encode())

            def log_message(self, *_: object) -> None:
                pass

        layout = neighbour.place.layout
        server = ThreadingHTTPServer((beside(layout.host, NODE_NUMBER), layout.ports["agent_health"]), Health)
        Thread(target=server.serve_forever, daemon=True).start()
        neighbour.repeat(lambda: None, 0.2)
        server.shutdown()
        server.server_close()
        assert neighbour.answers["scraped"], "nobody has asked the node"

    return run


@load("log-ins with wrong passwords from 200 addresses, 60 at once", "B8")
def log_in_flood() -> Load:
    def run(neighbour: Neighbour) -> None:
        host, _, port = neighbour.place.layout.address("monitor").partition(":")
        numbers = itertools.count()

        def log_in() -> None:
            number = next(numbers)
            source = beside("127.253.7.1", 1 + number % 200)
            connection = http.client.HTTPConnection(host, int(port), timeout=60, source_address=(source, 0))
            body = json.dumps({"user": f"user{number % 60}", "password": "wrong-password-1"})
            try:
                connection.request("POST", "/api/v1/session", body, {"Content-Type": "application/json"})
                neighbour.answers[str(connection.getresponse().status)] += 1
            except OSError as error:
                neighbour.answers[type(error).__name__] += 1
            finally:
                connection.close()

        neighbour.repeat(log_in, 0.05, at_once=60)

    return run


BAD_TARGETS = ("https://9.9.9.9/%zz", "https://9.9.9.9/a%", "https://9.9.9.9/?q=%1", "https://9.9.9.9/#%x")


@contextmanager
def channels_of_a(stack: Stack, place: Place) -> Iterator[None]:
    """What an earlier version left in the database: channels that Alertmanager does not take, four of each kind."""
    stack.stop("monitor")
    with closing(sqlite3.connect(stack.layout.data / "monitor.db")) as database, database:
        for number in range(16):
            database.execute(
                "INSERT INTO channels (id, customer_id, type, target, channel, created_ms, state, reason) "
                "VALUES (?, ?, 'webhook', ?, '', 1, 'active', '')",
                (f"{number:032x}", place.customer, BAD_TARGETS[number % 4]),
            )
    stack.start("monitor")
    yield
    with Control(stack.layout.url("monitor"), "admin", place.admin_password) as control:
        control.request("POST", "/customers/cliente-b/channels", {"type": "webhook", "target": "https://8.8.8.8/good"})

        def is_active() -> bool:
            found = control.request("GET", "/customers/cliente-b/channels")["channels"]
            return all(one["status"] == "active" for one in found)

        wait_for("B's channel is active beside A's bad ones", is_active, 10)


@load("16 channels that Alertmanager does not take, four more each second", "D18", around=channels_of_a)
def bad_channels() -> Load:
    def run(neighbour: Neighbour) -> None:
        place = neighbour.place
        with Control(place.layout.url("monitor"), "admin", place.admin_password) as control:

            def enter() -> None:
                for target in BAD_TARGETS:
                    try:
                        control.request(
                            "POST", f"/customers/{place.customer}/channels", {"type": "webhook", "target": target}
                        )
                        neighbour.answers["201"] += 1
                    except RequestRefused as refused:
                        neighbour.answers[str(refused.status)] += 1

            neighbour.repeat(enter, 1)

    return run
