"""Live tails through the router as a client of WebSockets follows them, beside a real storage."""

from __future__ import annotations

import base64
import contextlib
import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from otlp import PROTOBUF, attributes
from reading import Reading
from stack import Stack, wait_for
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

SERVICES = {"cliente-a": "read-a", "cliente-b": "read-b"}
DIRECTORY = """\
customers:
  - {id: cliente-a, name: A, hot_shard: hot-0, tokens: [{token: read-a, scope: read}, {token: other-a, scope: read}]}
  - {id: cliente-b, name: B, hot_shard: hot-0, tokens: [{token: read-b, scope: read}]}
operators: [{token: op, scope: read}]
"""
SHOP = '{service_name="shop"}'


class Tail:
    """A client that keeps what it hears: (time, line) in order, and the labels of the last stream."""

    def __init__(self, url: str, token: str, headers: dict[str, str] | None = None, **form: Any) -> None:
        query = requests.models.PreparedRequest()
        query.prepare_url(f"{url}/loki/api/v1/tail", {"query": SHOP, **form})
        assert query.url is not None
        sent = {"Authorization": f"Bearer {token}", **(headers or {})}
        address = query.url.replace("http://", "ws://")
        self.socket: ClientConnection = connect(address, additional_headers=sent, max_size=None, legacy=True)
        self.values: list[list[Any]] = []
        self.dropped: list[dict[str, Any]] = []
        self.labels: dict[str, str] = {}
        self.end: tuple[int, str] | None = None
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        try:
            for message in self.socket:
                answer = json.loads(message)
                for stream in answer["streams"]:
                    self.labels = stream["stream"]
                    self.values.extend(stream["values"])
                self.dropped.extend(answer.get("dropped_entries", []))
        except ConnectionClosed:
            pass
        self.end = (self.socket.close_code or 0, self.socket.close_reason or "")

    def lines(self) -> list[str]:
        return [value[1] for value in self.values]

    def wait_for(self, line: str, seconds: float = 15) -> list[str]:
        wait_for(f"the tail says {line}", lambda: line in self.lines(), seconds)
        return self.lines()

    def wait_for_end(self, seconds: float = 15) -> tuple[int, str]:
        wait_for("the tail ends", lambda: self.end is not None, seconds)
        assert self.end is not None
        return self.end

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.socket.close()


class Followed:
    """A router over a storage to which a test sends lines."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.reading = Reading(stack)
        self.directory = stack.layout.config / "customers.yaml"
        self.directory.write_text(DIRECTORY)
        stack.start("storage", "router")
        self._tails: list[Tail] = []

    def tail(self, token: str = "read-a", headers: dict[str, str] | None = None, **form: Any) -> Tail:
        tail = Tail(self.reading.url, token, headers, **form)
        self._tails.append(tail)
        return tail

    def close(self) -> None:
        for tail in self._tails:
            tail.close()
        self._tails = []
        wait_for("no tail is open", lambda: self.open_tails() == 0, 20)

    def open_tails(self) -> float:
        return self.metric("vigia_router_tails")

    def metric(self, name: str) -> float:
        text = requests.get(f"{self.stack.layout.url('router_metrics')}/metrics", timeout=10).text
        return sum(float(line.split()[-1]) for line in text.splitlines() if line.split("{")[0].split()[0] == name)

    def try_send(
        self, customer: str, lines: list[str], late_seconds: float = 0, service: str = "shop", at_ns: int | None = None
    ) -> bool:
        request = ExportLogsServiceRequest()
        entry = request.resource_logs.add()
        entry.resource.attributes.extend(attributes({"customer.id": customer, "service.name": service}))
        now = (at_ns or time.time_ns()) - int(late_seconds * 1e9)
        records = entry.scope_logs.add().log_records
        for number, text in enumerate(lines):
            records.add(time_unix_nano=now + number, severity_text="INFO").body.string_value = text
        token = self.stack.secrets["internal_token"]
        headers = {**PROTOBUF, "Authorization": f"Bearer {token}", "X-Vigia-Customer": customer}
        try:
            url = f"{self.stack.layout.url('storage')}/v1/logs"
            return requests.post(url, data=request.SerializeToString(), headers=headers, timeout=10).ok
        except requests.ConnectionError:
            return False

    def send(self, customer: str, *lines: str, late_seconds: float = 0, service: str = "shop") -> None:
        assert self.try_send(customer, list(lines), late_seconds, service)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Followed]:
    with Stack(tmp_path_factory.mktemp("tail")) as stack:
        yield Followed(stack)


@pytest.fixture
def followed(shared: Followed) -> Iterator[Followed]:
    yield shared
    shared.close()


@pytest.fixture
def own(tmp_path: Any) -> Iterator[Followed]:
    """For tests that stop and kill."""
    with Stack(tmp_path) as stack:
        followed = Followed(stack)
        yield followed


class TestLines:
    def test_what_was_there_and_what_comes(self, followed: Followed) -> None:
        followed.send("cliente-a", *(f"antes {n}" for n in range(5)))
        tail = followed.tail(limit=3)
        assert tail.wait_for("antes 4") == ["antes 2", "antes 3", "antes 4"]
        followed.send("cliente-a", "ahora", "y ahora")
        assert tail.wait_for("y ahora")[3:] == ["ahora", "y ahora"]
        assert tail.labels["customer_id"] == "cliente-a"
        assert tail.labels["level"] == "info"

    def test_only_lines_that_pass_the_stages(self, followed: Followed) -> None:
        tail = followed.tail(query=SHOP + ' |= "pago" | line_format "{{.service_name}}: {{__line__}}"')
        followed.send("cliente-a", "pago 1", "otra cosa", "pago 2")
        lines = tail.wait_for("shop: pago 2")
        assert lines[-2:] == ["shop: pago 1", "shop: pago 2"]
        assert not [line for line in lines if "otra" in line]

    def test_a_late_line_is_shown_when_it_comes_and_once(self, followed: Followed) -> None:
        tail = followed.tail()
        followed.send("cliente-a", "puntual")
        tail.wait_for("puntual")
        followed.send("cliente-a", "atrasada", late_seconds=1800)
        tail.wait_for("atrasada")
        followed.send("cliente-a", "siguiente")
        lines = Counter(tail.wait_for("siguiente"))
        assert (lines["puntual"], lines["atrasada"], lines["siguiente"]) == (1, 1, 1)

    def test_nodes_that_send_at_different_paces_lose_nothing(self, followed: Followed) -> None:
        """Four senders, whose lines lie before and behind each other's."""
        tail = followed.tail()

        def say(node: int) -> None:
            for n in range(40):
                followed.send("cliente-a", f"n{node} {n}", late_seconds=node * 1.3)
                time.sleep(0.05)

        threads = [threading.Thread(target=say, args=(node,)) for node in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        expected = {f"n{node} {n}" for node in range(4) for n in range(40)}
        wait_for("all lines", lambda: expected <= set(tail.lines()), 15)
        assert all(count == 1 for line, count in Counter(tail.lines()).items() if line in expected)

    def test_a_delay_puts_them_in_order(self, followed: Followed) -> None:
        tail = followed.tail(delay_for=3)
        followed.send("cliente-a", "segunda")
        time.sleep(0.5)
        followed.send("cliente-a", "primera", late_seconds=10)
        began = time.monotonic()
        lines = tail.wait_for("segunda")
        assert lines.index("primera") < lines.index("segunda")
        assert time.monotonic() - began > 1

    def test_labels_apart_and_a_password(self, followed: Followed) -> None:
        basic = base64.b64encode(b"grafana:read-a").decode()
        headers = {"Authorization": f"Basic {basic}", "X-Loki-Response-Encoding-Flags": "categorize-labels"}
        tail = followed.tail(headers=headers, query=SHOP + " | logfmt")
        followed.send("cliente-a", "importe=7")
        tail.wait_for("importe=7")
        assert tail.values[-1][2] == {"parsed": {"importe": "7"}}
        assert "importe" not in tail.labels


class TestIsolation:
    def test_two_customers_follow_the_same_query(self, followed: Followed) -> None:
        tails = {customer: followed.tail(token) for customer, token in SERVICES.items()}
        for n in range(20):
            for customer in SERVICES:
                followed.send(customer, f"{customer} linea {n}")
        for customer, tail in tails.items():
            tail.wait_for(f"{customer} linea 19")
            own_lines = [line for line in tail.lines() if "linea" in line]
            assert own_lines == [f"{customer} linea {n}" for n in range(20)]

    @pytest.mark.parametrize(
        "query",
        [
            '{customer_id="cliente-b"}',
            '{customer_id=~".+"}',
            '{service_name=~".+"}',
            '{service_name=~".+",node_id!="x"} |~ ".*"',
        ],
    )
    def test_whatever_is_asked_it_is_ones_own(self, followed: Followed, query: str) -> None:
        tail = followed.tail(
            "read-a", {"X-Vigia-Customer": "cliente-b", "X-Scope-OrgID": "cliente-b"}, query=query, customer="cliente-b"
        )
        control = followed.tail("read-b")
        followed.send("cliente-b", "secreto")
        followed.send("cliente-a", "propio")
        control.wait_for("secreto")
        if "cliente-b" not in query:
            tail.wait_for("propio")
        assert not [line for line in tail.lines() if "secreto" in line]

    def test_an_operator_names_one(self, followed: Followed) -> None:
        with pytest.raises(InvalidStatus) as refused:
            followed.tail("op")
        assert refused.value.response.status_code == 400
        tail = followed.tail("op", {"X-Vigia-Customer": "cliente-b"})
        followed.send("cliente-a", "ajena")
        followed.send("cliente-b", "pedida")
        assert "ajena" not in tail.wait_for("pedida")

    def test_a_customer_has_ten_and_others_theirs(self, followed: Followed) -> None:
        for _ in range(10):
            followed.tail()
        with pytest.raises(InvalidStatus) as refused:
            followed.tail()
        assert refused.value.response.status_code == 429
        assert b"close one" in refused.value.response.body
        followed.tail("read-b")


class TestEnds:
    def test_a_token_that_is_revoked(self, own: Followed) -> None:
        kept, revoked = own.tail("other-a"), own.tail("read-a")
        own.send("cliente-a", "antes")
        revoked.wait_for("antes")
        own.directory.write_text(DIRECTORY.replace("{token: read-a, scope: read}, ", ""))
        code, _ = revoked.wait_for_end(30)
        assert code == 1008
        own.send("cliente-a", "despues")
        kept.wait_for("despues")
        assert "despues" not in revoked.lines()

    def test_a_router_that_stops_says_so(self, own: Followed) -> None:
        tail = own.tail()
        own.send("cliente-a", "antes")
        tail.wait_for("antes")
        own.stack.stop("router")
        assert tail.wait_for_end()[0] == 1001

    def test_storage_that_is_killed_loses_and_repeats_nothing(self, own: Followed) -> None:
        tail = own.tail()
        acknowledged: list[str] = []
        stop = threading.Event()

        def say() -> None:
            n = 0
            while not stop.is_set():
                lines = [f"linea {n}.{i}" for i in range(10)]
                late = 60.0 if n % 7 == 0 else 0
                at_ns = time.time_ns()  # the same again: a kill may have come between the store and its answer
                while not own.try_send("cliente-a", lines, late, at_ns=at_ns) and not stop.is_set():
                    time.sleep(0.1)
                acknowledged.extend(lines)
                n += 1
                time.sleep(0.02)

        thread = threading.Thread(target=say)
        thread.start()
        for _ in range(3):
            time.sleep(2)
            own.stack.kill("storage")
            time.sleep(1)
            own.stack.start("storage")
        time.sleep(1)
        stop.set()
        thread.join()
        sent = acknowledged[:-10]  # of the last request nobody knows
        assert len(sent) > 1000
        wait_for("all lines", lambda: set(sent) <= set(tail.lines()), 30)
        assert not [line for line, count in Counter(tail.lines()).items() if count > 1]
        assert tail.end is None

    def test_clients_that_leave_give_their_places_back(self, followed: Followed) -> None:
        tails = [followed.tail() for _ in range(10)]
        for tail in tails[:5]:
            tail.close()
        for tail in tails[5:]:
            tail.socket.socket.shutdown(socket.SHUT_RDWR)
        wait_for("places are given back", lambda: followed.open_tails() == 0, 15)


class TestRefusals:
    def test_other_paths_take_no_upgrade(self, followed: Followed) -> None:
        headers = {
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        }
        reading = followed.reading
        assert reading.ask("/loki/api/v1/labels", headers=headers).status_code == 200, "as one without"
        assert reading.ask("/loki/api/v2/tail", headers=headers).status_code == 404
        assert reading.ask("/loki/api/v1/tail", method="POST", headers=headers, query=SHOP).status_code == 405
        plain = reading.ask("/loki/api/v1/tail", query=SHOP)
        assert (plain.status_code, plain.headers["Upgrade"]) == (426, "websocket")
        wrong = reading.ask("/loki/api/v1/tail", headers={**headers, "Sec-WebSocket-Key": "x"}, query=SHOP)
        assert wrong.status_code == 400
        wrong = reading.ask("/loki/api/v1/tail", headers={**headers, "Sec-WebSocket-Version": "7"}, query=SHOP)
        assert wrong.status_code == 426
        assert reading.ask("/loki/api/v1/tail", "nobody", headers=headers, query=SHOP).status_code == 401

    def test_an_opening_that_two_readers_take_differently_ends_no_program(self, followed: Followed) -> None:
        host, port = followed.reading.url.removeprefix("http://").split(":")
        opening = (
            "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nAuthorization: Bearer read-a\r\n"
        )
        for version, first, status in (("1.0", "", 426), ("1.1", "Upgrade:\r\n", 101)):
            head = f"GET /loki/api/v1/tail?query=%7Bservice_name%3D%22shop%22%7D HTTP/{version}\r\nHost: a\r\n"
            with socket.create_connection((host, int(port)), timeout=15) as client:
                client.sendall((head + first + opening + "\r\n").encode())
                assert client.recv(100).startswith(f"HTTP/1.1 {status} ".encode())
        assert followed.reading.ask("/loki/api/v1/labels").status_code == 200

    def test_what_a_tail_does_not_take(self, followed: Followed) -> None:
        for form in (
            {"query": 'rate({a="b"}[1m])'},
            {"query": "{"},
            {"delay_for": 6},
            {"limit": 5001},
        ):
            with pytest.raises(InvalidStatus) as refused:
                followed.tail(**form)
            assert refused.value.response.status_code == 400

    def test_messages_of_a_client_are_small(self, followed: Followed) -> None:
        tail = followed.tail()
        tail.socket.send("hola")
        followed.send("cliente-a", "sigue")
        tail.wait_for("sigue")
        tail.socket.send("x" * 5000)
        assert tail.wait_for_end()[0] == 1009


@pytest.mark.two_at_a_time  # ten thousand lines a second, and another who is served within seconds
class TestFlood:
    def test_one_customers_flood_holds_up_no_other(self, own: Followed) -> None:
        """Ten thousand lines a second of one, a line a second of the other."""
        flooded, calm = own.tail("read-a"), own.tail("read-b")
        stop = threading.Event()
        sent = 0

        def flood() -> None:
            nonlocal sent
            began = time.monotonic()
            while not stop.is_set():
                own.send("cliente-a", *(f"{sent + i} {'x' * 100}" for i in range(1000)))
                sent += 1000
                time.sleep(max(0, sent / 10_000 - (time.monotonic() - began)))

        thread = threading.Thread(target=flood)
        thread.start()
        delays = []
        try:
            for n in range(15):
                began = time.monotonic()
                own.send("cliente-b", f"calma {n}")
                calm.wait_for(f"calma {n}")
                delays.append(time.monotonic() - began)
                time.sleep(0.2)
        finally:
            stop.set()
            thread.join()
        assert sorted(delays)[len(delays) // 2] < 2.5, delays
        assert calm.dropped == []
        assert sent > 50_000
        # What it was not given it was told of, and what it was given came in order, once.
        wait_for("the last line", lambda: any(line.startswith(f"{sent - 1} ") for line in flooded.lines()), 60)
        numbers = [int(line.split()[0]) for line in flooded.lines()]
        assert numbers == sorted(set(numbers))
        assert flooded.dropped or len(numbers) == sent
