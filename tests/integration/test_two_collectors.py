"""Two collectors behind a balancer: one is killed, one is balanced away; nothing is lost or stored twice, and both books add up."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from launcher.commands import Command
from launcher.layout import own_host
from otlp import NumberedSender, value_of
from stack import Running, Stack, wait_for

DOORS = ("collector_grpc", "collector_http")


class Balancer:
    """Connections to each door go to the places in turn. One that is taken away gets no more, and those it has end."""

    def __init__(self, host: str, ports: dict[str, int], places: list[str]) -> None:
        self.host = host
        self.places = list(places)
        self._turn = 0
        self._open: list[tuple[str, socket.socket]] = []
        self._lock = threading.Lock()
        self._doors = []
        for door in DOORS:
            listening = socket.create_server((host, ports[door]), backlog=128)
            self._doors.append(listening)
            threading.Thread(target=self._accept, args=(listening, ports[door]), daemon=True).start()

    def _accept(self, listening: socket.socket, port: int) -> None:
        while True:
            try:
                client, _ = listening.accept()
            except OSError:
                return
            with self._lock:
                place = self.places[self._turn % len(self.places)]
                self._turn += 1
            try:
                behind = socket.create_connection((place, port), 2)
            except OSError:
                client.close()  # as a balancer does that has not noticed yet
                continue
            behind.settimeout(None)
            with self._lock:
                self._open += [(place, client), (place, behind)]
            for source, target in ((client, behind), (behind, client)):
                threading.Thread(target=self._copy, args=(source, target), daemon=True).start()

    @staticmethod
    def _copy(source: socket.socket, target: socket.socket) -> None:
        try:
            while data := source.recv(65_536):
                target.sendall(data)
        except OSError:
            pass
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def take_away(self, place: str) -> None:
        with self._lock:
            self.places.remove(place)
            ending = [end for of, end in self._open if of == place]
        for end in ending:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def put_back(self, place: str) -> None:
        with self._lock:
            self.places.append(place)

    def end(self) -> None:
        for listening in self._doors:
            listening.close()


class Site:
    """A Vigía whose agents and senders know the balancer alone."""

    def __init__(self, folder: Path) -> None:
        self.stack = Stack(folder)
        layout = self.stack.layout
        self.second_host, balancer_host = own_host(), own_host()
        path = layout.config / "collector.yaml"
        text = path.read_text()
        assert "vigia_auth:\n" in text
        text = text.replace("vigia_auth:\n", "vigia_auth:\n    collectors: 2\n", 1)
        path.write_text(text)
        for part in ("grpc", "http", "exporter", "metrics", "health"):
            address = layout.address(f"collector_{part}")
            assert address in text
            text = text.replace(address, address.replace(layout.host, self.second_host))
        text = text.replace(f"{layout.data}/collector", f"{layout.data}/second-collector")
        self._second_config = layout.config / "second-collector.yaml"
        self._second_config.write_text(text)
        self.balancer = Balancer(balancer_host, layout.ports, [layout.host, self.second_host])
        grpc = layout.url("collector_grpc")
        for agent in self.stack.agents:
            config = layout.config / f"{agent.name}.yaml"
            told = config.read_text()
            assert grpc in told
            config.write_text(told.replace(grpc, grpc.replace(layout.host, balancer_host)))
        self.url = layout.url("collector_http").replace(layout.host, balancer_host)

    def start_second(self) -> None:
        words = [str(self._second_config) if word.endswith("collector.yaml") else word for word in self._command.words]
        health = self._command.ready_url.replace(self.stack.layout.host, self.second_host)
        command = Command("second-collector", words, health, self._command.env)
        running = Running(command, self.stack.folder / "log" / "second-collector.log")
        self.stack.running["second-collector"] = running
        running.wait_until_ready()

    def second_takes(self, customer: str) -> bool:
        url = self.stack.layout.url("collector_http").replace(self.stack.layout.host, self.second_host)
        headers = {
            "Content-Type": "application/x-protobuf",
            "Authorization": f"Bearer {self.stack.token(customer, 'ingest')}",
        }
        return requests.post(f"{url}/v1/metrics", data=b"", headers=headers, timeout=5).status_code == 200

    @property
    def _command(self) -> Command:
        return self.stack.command("collector")

    def books(self, host: str) -> dict[tuple[str, str], dict[str, float]]:
        """By customer and exporter of metrics the terms of its equation (services/collector/books/books.hpp)."""
        url = self.stack.layout.url("collector_metrics").replace(self.stack.layout.host, host)
        books: dict[tuple[str, str], dict[str, float]] = {}
        of_all: dict[tuple[str, str], float] = {}
        for line in requests.get(f"{url}/metrics", timeout=5).text.splitlines():
            match = re.match(r"vigia_items_(\w+?)(?:_total)?\{(.*)\} (\S+)$", line)
            if match is None:
                continue
            labels = dict(re.findall(r'(\w+)="([^"]*)"', match[2]))
            if labels["signal"] != "metrics":
                continue
            if "exporter" in labels:
                book = books.setdefault((labels["customer_id"], labels["exporter"]), {})
                book[match[1]] = book.get(match[1], 0) + float(match[3])
            else:
                key = (labels["customer_id"], match[1])
                of_all[key] = of_all.get(key, 0) + float(match[3])
        for (customer, _), book in books.items():
            for term in ("received", "rejected", "filtered"):
                book[term] = of_all.get((customer, term), 0)
        return books


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    with made.stack:
        try:
            yield made
        finally:
            made.balancer.end()


def _lost_and_others(site: Site, store: str, sender: NumberedSender) -> dict[str, int]:
    """Samples that are not there, and that nobody sent, of what was acknowledged."""
    answer = requests.get(
        f"{site.stack.layout.url(store)}/api/v1/query",
        params={"query": f'probe_numbered{{customer_id="{sender.customer_id}"}}[20m]'},
        timeout=10,
    )
    found: list[dict[str, Any]] = answer.json()["data"]["result"]
    by_series = {entry["metric"]["series"]: entry["values"] for entry in found}
    missing = others = 0
    for series in range(sender.series):
        values = {round(float(t) * 1000): float(value) for t, value in by_series.get(str(series), [])}
        others += len(by_series.get(str(series), [])) - len(values)
        for number in range(sender.acknowledged):
            sent = value_of(sender.customer_id, series, number)
            missing += values.pop(sender.start_ms + number * sender.step_ms, None) != sent
        others += len(values)
    return {"missing": missing, "others": others}


def _assert_all_is_there_once(site: Site, senders: list[NumberedSender]) -> None:
    for sender in senders:
        sender.stop(60)
        assert sender.refused == []
    for sender in senders:
        for store in ("hot", "query"):

            def is_all_there(sender: NumberedSender = sender, store: str = store) -> bool:
                found = _lost_and_others(site, store, sender)
                assert found == {"missing": 0, "others": 0}, f"{store}, {sender.customer_id}: {found}"
                return True

            wait_for("all that was acknowledged is in both stores, once", is_all_there, 40, every=0.5)


def _assert_both_books_add_up(site: Site) -> None:
    """Of the life that each is in: a kill takes the counters of the one before with it."""
    for host in (site.stack.layout.host, site.second_host):

        def are_empty(host: str = host) -> bool:
            return all(book.get("queued", 0) == 0 for book in site.books(host).values())

        wait_for("its queues are empty", are_empty, 30)
        for whose, book in site.books(host).items():
            left = book.get("queued_at_start", 0) + book["received"]
            right = book["rejected"] + book["filtered"] + book.get("sent", 0) + book.get("dropped", 0)
            assert left == right, f"{host} {whose}: {book}"
            assert book.get("unexplained", 0) == 0, f"{host} {whose}: {book}"
            assert book.get("dropped", 0) == 0, f"{host} {whose}: {book}"


def test_one_is_killed_and_one_is_balanced_away(site: Site) -> None:
    stack = site.stack
    stack.start_central()
    site.start_second()
    wait_for("the second knows the tokens", lambda: site.second_takes(stack.agents[0].customer_id))
    start_ms = (int(time.time()) - 600) * 1000
    senders = []
    for place in (stack.agents[0], stack.agents[1]):
        stack.start(place.name)
        url = f"http://{place.relay_host}:{stack.layout.ports['collector_http']}"
        senders.append(NumberedSender(url, "none", place.customer_id, start_ms, resource={"service.name": "probe"}))
    assert len({sender.customer_id for sender in senders}) == 2
    for sender in senders:
        sender.start()
    first_host = stack.layout.host
    time.sleep(2)  # load, not a wait
    stack.kill("second-collector")
    time.sleep(1)
    site.balancer.take_away(site.second_host)
    time.sleep(1)
    site.start_second()
    site.balancer.put_back(site.second_host)
    time.sleep(1)
    site.balancer.take_away(first_host)  # alive, and asked by nobody any more
    time.sleep(2)
    stack.kill("second-collector")
    site.start_second()
    time.sleep(1)
    site.balancer.put_back(first_host)

    def is_enough() -> bool:
        return all(sender.acknowledged > 100 or sender.refused != [] for sender in senders)

    wait_for("enough is acknowledged", is_enough, 60)
    _assert_all_is_there_once(site, senders)
    _assert_both_books_add_up(site)
