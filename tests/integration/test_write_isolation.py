"""I1: what one customer's ingest token can write never appears under another customer, and what opens nothing writes nothing.

The collector gets lies of every kind in cliente-a's name (write_probes.py): 1,200 in every run, 12,000 in a thorough one. Then each place
where data comes out is looked through: the stores themselves, the collector's own page, and all that the router answers to the others.
That the search would find a leak is shown on data that is put under another's name on purpose.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import re
import threading
import time
import urllib.parse
from collections import Counter
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
import requests
from canaries import CUSTOMERS, Canaries, leaks_in
from google.protobuf.message import Message
from launcher.commands import Command
from otlp import gauge, log_request, metrics_request, resource_of, span_request
from probe_wire import Shown, Wire
from probes import Probes
from remote_write import snappy, write
from stack import Running, Stack, wait_for
from test_isolation_probes import OPERATIONS
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from write_items import CLAIMS, OVERWRITTEN, OVERWRITTEN_BY, OWN, SCOPES, Group, pair, text
from write_probes import SIGNALS, TOKENS, TRICKS, WORD, WriteProbe, WriteProbes

SEED = 20261130
DIRECTORY = "customers:\n" + "".join(
    f"""\
  - id: cliente-{one}
    name: {one}
    hot_shard: hot-0
    tokens: [{{token: read-{one}, scope: read}}, {{token: ingest-{one}, scope: ingest}}{
        ', {token: ingest-expired, scope: ingest, expires: "2020-01-01T00:00:00Z"}' if one == "a" else ""
    }]
"""
    for one in "abc"
)
# What other customers could be called, who have nothing: what a reader takes for an id.
IDS = (
    "cliente-b",
    "cliente-c",
    "_provider",
    "CLIENTE-B",
    "customer-agents",
    "hot-0",
    "cliente-y",
    "unknown",
    "anonymous",
)
STATUSES = {0, 200, 400, 401, 403, 404, 405, 411, 413, 415, 417, 429}
GRPC_OK = b"grpc-status: 0"


def _start(stack: Stack, name: str) -> None:
    command = stack.command(name)
    talkative = Command(name, [*command.words, "--log-level", "debug"], command.ready_url, command.env)
    stack.running[name] = Running(talkative, stack.folder / "log" / f"{name}.log")
    stack.running[name].wait_until_ready()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Canaries]:
    with Stack(tmp_path_factory.mktemp("writes")) as stack:
        made = Canaries(stack)
        customers = stack.layout.config / "customers.yaml"
        customers.write_text(DIRECTORY + "operators: [{token: op, scope: read}]\n")
        file = stack.layout.config / "collector.yaml"
        text = re.sub(r"    directory:\n(?:      .*\n)+", f"    directory: {{file: {customers}}}\n", file.read_text())
        file.write_text(text)
        stack.start("storage", "prometheus-hot", "prometheus-query")
        _start(stack, "router")
        made.fill()
        # Behind it: the router would look for no heartbeats before its first.
        _start(stack, "collector")
        for customer in CUSTOMERS:
            labels = {"__name__": OVERWRITTEN, "job": "shop", "customer_id": customer}
            times = [made.now_ms - n * 60_000 for n in reversed(range(30))]
            made.to_both(labels, [(at, 1.0) for at in times])
        yield made


class Written:
    """What was sent, and what came back."""

    def __init__(self, site: Canaries) -> None:
        self._layout = site.stack.layout
        self._wires = {
            one: Wire(self._layout.host, self._layout.ports[one]) for one in ("collector_http", "collector_grpc")
        }
        self.statuses: Counter[int] = Counter()
        self.taken: Counter[str] = Counter()  # by claim
        self.leaks: list[str] = []
        self.opened: list[str] = []  # requests that were taken with what is no ingest token

    def send(self, probe: WriteProbe) -> Shown:
        """Each port speaks both."""
        wire = self._wires["collector_grpc" if probe.is_grpc else "collector_http"]
        shown = wire.send(probe.wired())
        self.statuses[shown.status] += 1
        if words := leaks_in("cliente-a", shown.all()):
            self.leaks.append(f"cliente-a was shown {words}: {probe.shown()}: {shown.all()[:500]!r}")
        if shown.status == 200 and (not probe.is_grpc or GRPC_OK in shown.head):
            self.taken[probe.claim] += 1
            if probe.token != "ingest-a" and not any(b"ingest-a" in value for _, value in probe.headers):
                self.opened.append(probe.shown())
        return shown

    def close(self) -> None:
        for wire in self._wires.values():
            wire.close()


def _write(site: Canaries, seed: int, count: int) -> tuple[Written, WriteProbes]:
    written, probes = Written(site), WriteProbes(seed)
    for probe in itertools.islice(probes, count):
        written.send(probe)
    written.close()
    wait_for("all is delivered", partial(_is_delivered, site), 60)
    return written, probes


def _is_delivered(site: Canaries) -> bool:
    metrics = site.stack.own_metrics("collector_metrics")
    return all(value == 0 for key, value in metrics.items() if key.startswith("vigia_items_queued{"))


def _foreign_series(text: bytes, word: bytes) -> list[bytes]:
    """Label sets, in JSON or as text, that hold the word and are not cliente-a's."""
    found = []
    for line in re.findall(rb"\{[^{}]*" + re.escape(word) + rb"[^{}]*\}", text):
        named = re.findall(rb'(?<!\w)"?customer_id"?[:=]"((?:[^"\\]|\\.)*)"', line)
        if named != [b"cliente-a"]:
            found.append(line)
    return found


def _in_stores(site: Canaries, word: bytes) -> list[str]:
    """Where the word stands in hot, in storage or on the collector's page, but under cliente-a."""
    layout, found, now_s = site.stack.layout, [], int(time.time())
    every = {"match[]": '{__name__=~".+"}', "start": str(now_s - 86_400 * 20), "end": str(now_s + 3600)}
    hot = requests.get(f"{layout.url('hot')}/api/v1/series", params=every, timeout=60)
    exemplars = requests.get(
        f"{layout.url('hot')}/api/v1/query_exemplars", params={**every, "query": every["match[]"]}, timeout=60
    )
    page = requests.get(f"{layout.url('collector_exporter')}/metrics", timeout=60)
    for name, answer in (("hot", hot), ("the collector's page", page)):
        assert answer.status_code == 200, answer.text
        found += [f"{name}: {line!r}" for line in _foreign_series(answer.content, word)]
    for one in exemplars.json()["data"]:
        if word in str(one).encode() and one["seriesLabels"].get("customer_id") != "cliente-a":
            found.append(f"hot's exemplars: {one}")
    for customer in IDS:
        for path, answer in _asked_of_storage(site, customer, now_s):
            assert answer.status_code == 200 or customer != "cliente-b", f"{path}: {answer.text}"
            if word in answer.content.lower():
                found.append(f"storage, {customer}: {path}: {answer.text[:500]}")
    return found


def _asked_of_storage(site: Canaries, customer: str, now_s: int) -> Iterator[tuple[str, requests.Response]]:
    storage, since = site.stack.layout.url("storage"), f"start={now_s - 86_400 * 20}&end={now_s + 3600}"
    of_logs = f"start={now_s - 3600}&end={now_s + 3600}"
    for path in (
        "/api/v1/labels",
        f"/api/v1/series?matcher=__name__=~.%2B&{since}",
        f"/api/v1/exemplars?matcher=__name__=~.%2B&{since}",
        "/api/v1/label/__name__/values",
        "/api/v1/metadata",
        "/api/v1/services",
        f'/api/v1/logs?query={{service_name=~".%2B"}}&limit=5000&{of_logs}',
        f"/jaeger/api/traces/{'b' * 32}",
        f"/jaeger/api/traces/{'12' * 16}",
    ):
        yield path, requests.get(f"{storage}{path}", headers=site.headers_of(customer), timeout=60)


def _shown_to_others(site: Canaries, word: bytes, seed: int, count: int) -> tuple[list[str], int]:
    """What the router tells cliente-b and -c of it, whatever they ask; and how many answers were 200."""
    layout, found, good = site.stack.layout, [], 0
    wire, chance = Wire(layout.host, layout.ports["router"]), random.Random(seed)
    for probe in itertools.islice(Probes(seed, OPERATIONS, int(time.time()) * 1000 + 1000), count):
        customer = chance.choice(("cliente-b", "cliente-c"))
        shown = wire.send(probe.wired(CUSTOMERS[customer]))
        good += shown.status == 200
        if word in shown.all().lower():
            found.append(f"{customer} was shown {word!r}: {probe.shown()}: {shown.all()[:500]!r}")
    wire.close()
    return found, good


class Followed:
    """Everybody's live tails of all lines, and all that they were sent."""

    def __init__(self, site: Canaries) -> None:
        query = urllib.parse.urlencode({"query": '{service_name=~".+"}'})
        url = f"{site.url.replace('http://', 'ws://')}/loki/api/v1/tail?{query}"
        self.heard: dict[str, list[str]] = {customer: [] for customer in CUSTOMERS}
        self._sockets = []
        for customer, token in CUSTOMERS.items():
            named = {"Authorization": f"Bearer {token}"}
            socket = connect(url, additional_headers=named, max_size=None, legacy=True)
            self._sockets.append(socket)
            threading.Thread(target=self._listen, args=(socket, self.heard[customer]), daemon=True).start()

    def _listen(self, socket: ClientConnection, heard: list[str]) -> None:
        with contextlib.suppress(ConnectionClosed):
            heard.extend(str(message) for message in socket)

    def has_heard(self, customer: str, word: str) -> bool:
        return any(word in message for message in self.heard[customer])

    def close(self) -> None:
        for socket in self._sockets:
            socket.close()


def _own_of(site: Canaries, token: str) -> Any:
    """A customer's metrics, all samples of an hour."""
    names = f"shared.*|guess_.*|{OVERWRITTEN}"
    result = site.result(f'{{__name__=~"{names}"}}[2h]', token, time=site.now_ms // 1000 + 60)
    assert len(result) > 5
    return sorted(result, key=str)


# R-SEC-11, R-PM-14.
@pytest.mark.long(40)
@pytest.mark.parametrize(
    "count", [1_200, pytest.param(12_000, marks=[pytest.mark.thorough, pytest.mark.timeout(1200)])]
)
def test_what_one_writes_is_nobody_elses(site: Canaries, count: int) -> None:
    seed = int(os.environ.get("VIGIA_SEED", SEED if count == 1_200 else int(time.time())))
    before = {token: _own_of(site, token) for token in ("read-b", "read-c")}
    followed = Followed(site)
    began = time.monotonic()
    written, probes = _write(site, seed, count)
    print(
        f"seed {seed}: {count} writes in {time.monotonic() - began:.1f} s, {dict(written.statuses)}, {dict(written.taken)}"
    )
    told = f"VIGIA_SEED={seed}: "
    assert not written.leaks, told + "\n".join(written.leaks[:3])
    assert not written.opened, told + "\n".join(written.opened[:3])
    assert set(written.statuses) <= STATUSES, told + str(dict(written.statuses))
    assert {*CLAIMS, *TRICKS, *SIGNALS, *TOKENS, "JSON", "gRPC", "HTTP"} - probes.made == set()

    _assert_nobody_else_has_it(site, seed)
    assert {token: _own_of(site, token) for token in before} == before, "another's samples are as they were"
    _assert_only_its_sender_followed(site, followed)
    for name in ("router", "storage"):
        log = (site.stack.folder / "log" / f"{name}.log").read_bytes().lower()
        assert WORD.encode() not in log, f"the log of {name} tells of what was written"

    # And something came in: else a door that is shut would pass.
    assert sum(written.taken.values()) > count / 5
    for claim in ("own", "another spelling", "mixed", "JSON"):
        assert written.taken[claim], claim
    _assert_its_sender_has_it(site)


def _assert_nobody_else_has_it(site: Canaries, seed: int) -> None:
    found = _in_stores(site, WORD.encode())
    assert not found, f"VIGIA_SEED={seed}: {len(found)}:\n" + "\n".join(found[:5])
    shown, good = _shown_to_others(site, WORD.encode(), seed, 1_500)
    assert not shown, f"VIGIA_SEED={seed}: {len(shown)}:\n" + "\n".join(shown[:3])
    assert good > 300, "the others were shown something"


def _assert_only_its_sender_followed(site: Canaries, followed: Followed) -> None:
    for customer in CUSTOMERS:
        line = f"last line of {customer}"
        site.post("logs", customer, log_request(resource_of(customer), line).SerializeToString())
        wait_for("the tail has told all", partial(followed.has_heard, customer, line), 30)
        assert followed.has_heard(customer, WORD) == (customer == "cliente-a"), customer
    followed.close()


def _assert_its_sender_has_it(site: Canaries) -> None:
    since = {"start": site.now_ms // 1000 - 60, "end": site.now_ms // 1000 + 3600}
    for path, form in (
        ("/api/v1/series", {"match": '{__name__=~".+"}'}),
        ("/loki/api/v1/label/node_id/values", {}),
        ("/jaeger/api/services", {}),
        ("/api/v1/query_exemplars", {"query": '{__name__=~".+"}', **since}),
    ):
        assert WORD in site.ask(path, "read-a", **form).text, path
    own = site.result(f"max_over_time({OVERWRITTEN}[2h])", "read-a", time=int(time.time()) + 60)
    assert str(int(OVERWRITTEN_BY)) in {one["value"][1] for one in own}


@pytest.mark.parametrize("signal", SIGNALS)
def test_a_refusal_does_not_tell_who_is_a_customer(site: Canaries, signal: str) -> None:
    """Data in another's name and in nobody's are refused by the same words."""
    answers = set()
    for customer in ("cliente-b", "cliente-y"):
        resource = resource_of(customer)
        requests_of: dict[str, Message] = {
            "metrics": metrics_request(resource, gauge("x", [(int(time.time() * 1000), 1.0)])),
            "traces": span_request(resource, b"b" * 16, b"b" * 8, "x"),
            "logs": log_request(resource, "x"),
        }
        for content in (b"", b"zz"):
            answer = requests.post(
                f"{site.stack.layout.url('collector_http')}/v1/{signal}",
                data=requests_of[signal].SerializeToString() + content,
                headers={"Content-Type": "application/x-protobuf", "Authorization": "Bearer ingest-a"},
                timeout=10,
            )
            answers.add((content, answer.status_code, answer.content.replace(customer.encode(), b"X")))
    assert len(answers) == 2, answers


def test_other_doors_take_nothing_of_an_ingest_token(site: Canaries) -> None:
    """Storage's, which are the collector's, and the router's, which only reads."""
    layout = site.stack.layout
    series = b"\n\x05\n\x03zqo"
    body = snappy(series)
    kinds = {"Content-Type": "application/x-protobuf", "Content-Encoding": "snappy"}
    for token in ("ingest-a", "read-a", "op", "", "wrong"):
        for customer in ("cliente-a", "cliente-b"):
            named = {**kinds, "Authorization": f"Bearer {token}", "X-Vigia-Customer": customer}
            for path in ("/api/v1/write", "/v1/metrics", "/v1/traces", "/v1/logs"):
                answer = requests.post(f"{layout.url('storage')}{path}", data=body, headers=named, timeout=10)
                assert answer.status_code in (401, 403, 404), (token, path, answer.text)
            for path in (
                "/api/v1/write",
                "/v1/traces",
                "/v1/logs",
                "/loki/api/v1/push",
                "/api/v1/import",
                "/api/v1/read",
            ):
                answer = requests.post(f"{layout.url('router')}{path}", data=body, headers=named, timeout=10)
                # A body that asks for nothing: 400.
                opens = path == "/api/v1/read" and token in ("read-a", "op") and answer.status_code == 400
                assert opens or answer.status_code in (401, 403, 404, 415), (token, path, answer.text)


def test_a_leak_would_be_found(site: Canaries) -> None:
    """What lies under another's name is seen by each look, of each kind."""
    layout, word, now_ms = site.stack.layout, "zqplanted", int(time.time() * 1000)
    assert _in_stores(site, word.encode()) == []
    labels = {"__name__": f"{word}_total", "customer_id": "cliente-b"}
    write(layout.url("hot"), [(labels, [(now_ms, 1.0)])])
    assert [line.split(":")[0] for line in _in_stores(site, word.encode())] == ["hot"]
    write(layout.url("storage"), [(labels, [(now_ms, 1.0)])], site.headers_of("cliente-b"))
    resource = resource_of("cliente-b", service=f"{word}-service")
    site.post(
        "traces", "cliente-b", span_request(resource, bytes.fromhex("b" * 32), b"d" * 8, word).SerializeToString()
    )
    site.post("logs", "cliente-b", log_request(resource, word).SerializeToString())
    found = "\n".join(_in_stores(site, word.encode()))
    for path in ("/series", "/label/__name__/values", "/services", "/logs", "/jaeger/api/traces"):
        assert path in found, f"{path}: {found}"
    shown, _ = _shown_to_others(site, word.encode(), SEED, 1_000)
    apis = set(re.findall(r" plain: (?:GET|POST) /(\w+)", "\n".join(shown)))
    assert apis >= {"api", "loki", "jaeger"}, apis
    assert len(shown) > 10, shown


def test_labels_that_are_not_the_owners_are_seen() -> None:
    word = b"zqw00001x"
    assert _foreign_series(b'{"__name__":"zqw00001x","customer_id":"cliente-b"}', word)
    assert _foreign_series(b'zq{a="zqw00001x"} 1', word)
    assert _foreign_series(b'{"a":"zqw00001x","customer_id":"cliente-a","customer_id":"cliente-b"}', word)
    assert not _foreign_series(b'{"a":"zqw00001x","customer_id":"cliente-a","scope_customer_id":"cliente-b"}', word)
    assert not _foreign_series(b'x{a="zqw00001x",customer_id="cliente-a"} 1', word)


def test_a_second_name_that_is_empty_costs_nobody_a_line(site: Canaries) -> None:
    """What the collector has acknowledged storage keeps and the router shows: all three read whose it is alike."""
    own, empty, none = OWN, pair("customer.id", text("")), pair("customer.id", b"")
    other = pair("customer_id", text("cliente-b"))
    words = []
    for number, names in enumerate((own + empty, empty + own, none + own, own + none, own + other, other + own)):
        words.append(f"{WORD}twice{number}")
        resource = names + pair("service.name", text("twice"))
        for signal in ("logs", "traces"):
            scope = SCOPES[signal](random.Random(number), words[-1], time.time_ns()).SerializeToString()
            answer = requests.post(
                f"{site.stack.layout.url('collector_http')}/v1/{signal}",
                data=Group([resource]).message(scope),
                headers={"Content-Type": "application/x-protobuf", "Authorization": "Bearer ingest-a"},
                timeout=10,
            )
            assert (answer.status_code, answer.content) == (200, b""), answer.content
    wait_for("all is delivered", partial(_is_delivered, site), 30)
    metrics = site.stack.own_metrics("collector_metrics")
    # Points at any time may have come before, and hot takes none of months ago.
    dropped = {key: value for key, value in metrics.items() if key.startswith("vigia_items_dropped_total") and value}
    assert not [key for key in dropped if 'signal="metrics"' not in key], dropped
    since: dict[str, Any] = {
        "start": (int(time.time()) - 3600) * 10**9,
        "end": (int(time.time()) + 60) * 10**9,
        "limit": 5000,
    }
    answer = site.ask("/loki/api/v1/query_range", "read-a", query='{service_name="twice"}', **since)
    assert answer.status_code == 200, answer.text
    spans = site.ask("/jaeger/api/operations", "read-a", service="twice")
    for word in words:
        assert word in answer.text, f"{word}: {answer.text}"
        assert word in spans.text, f"{word}: {spans.text}"
