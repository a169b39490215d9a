"""kill -9 under load: what was acknowledged is stored, once, and nothing else is; the books balance."""

from __future__ import annotations

import random
import re
import time

import pytest
from otlp import NumberedSender, value_of
from stack import Stack, wait_for

KILLS = 4


def _stored(stack: Stack, customer_id: str, base: str, token: str) -> dict[str, list[tuple[float, float]]]:
    """Raw samples of the probe by series, read through the router."""
    answer = stack.ask(base, token, query="probe_numbered[20m]")
    assert answer.status_code == 200, answer.text
    found = {}
    for entry in answer.json()["data"]["result"]:
        assert entry["metric"]["customer_id"] == customer_id, f"foreign: {entry['metric']}"
        found[entry["metric"]["series"]] = [(float(t), float(v)) for t, v in entry["values"]]
    return found


def _differences(stored: dict[str, list[tuple[float, float]]], sender: NumberedSender) -> dict[str, int]:
    """Lost, doubled and damaged samples, to the unit."""
    lost = doubled = damaged = 0
    for series in range(sender.series):
        samples = stored.get(str(series), [])
        times = [round(t * 1000) for t, _ in samples]
        doubled += len(times) - len(set(times))
        values = {time_ms: value for time_ms, (_, value) in zip(times, samples, strict=True)}
        for number in range(sender.acknowledged):
            time_ms = sender.start_ms + number * sender.step_ms
            if time_ms not in values:
                lost += 1
            elif values.pop(time_ms) != value_of(sender.customer_id, series, number):
                damaged += 1
        damaged += len(values)  # samples that nobody sent
    return {"lost": lost, "doubled": doubled, "damaged": damaged}


def _books(stack: Stack) -> dict[tuple[str, str, str], dict[str, float]]:
    """Per customer, signal and exporter: the terms of the equation in services/collector/books/books.hpp."""
    samples = stack.own_metrics("collector_metrics")
    books: dict[tuple[str, str, str], dict[str, float]] = {}
    per_customer: dict[tuple[str, str, str], float] = {}
    for key, value in samples.items():
        match = re.match(r"vigia_items_(\w+?)(_total)?\{(.*)\}$", key)
        if not match:
            continue
        labels = dict(re.findall(r'(\w+)="([^"]*)"', match[3]))
        whose = (labels["customer_id"], labels["signal"])
        if "exporter" in labels:
            book = books.setdefault((*whose, labels["exporter"]), {})
            book[match[1]] = book.get(match[1], 0) + value
        else:
            per_customer[(*whose, match[1])] = per_customer.get((*whose, match[1]), 0) + value
    for (customer, signal, _), book in books.items():
        for term in ("received", "rejected"):
            book[term] = per_customer.get((customer, signal, term), 0)
    return books


def assert_books_balance(stack: Stack) -> None:
    books = _books(stack)
    assert books, "no books at all"
    for whose, book in books.items():
        left = book.get("queued_at_start", 0) + book["received"]
        right = book["rejected"] + book.get("sent", 0) + book.get("dropped", 0) + book.get("queued", 0)
        assert left == right, f"{whose}: {book}"
        assert book["unexplained"] == 0, f"{whose}: {book}"


def _break_again_and_again(stack: Stack, victim: str) -> None:
    """Kills and restarts a part at random moments while the load runs."""
    moments = random.Random(20261125)
    for _ in range(KILLS):
        time.sleep(moments.uniform(0.5, 1.5))  # the fault's moment, not a wait
        stack.kill(victim)
        stack.start(victim)


def _assert_all_is_there_once(stack: Stack, senders: list[NumberedSender]) -> None:
    for sender in senders:

        def has_enough(sender: NumberedSender = sender) -> bool:
            return sender.acknowledged > 50 or sender.refused != []

        wait_for("enough is acknowledged", has_enough, 60)
        sender.stop()
        assert sender.refused == []
    for sender in senders:
        token = stack.token(sender.customer_id, "read")

        def nothing_is_missing(sender: NumberedSender = sender, token: str = token) -> bool:
            stored = _stored(stack, sender.customer_id, "/api/v1/query", token)
            differences = _differences(stored, sender)
            assert differences == {"lost": 0, "doubled": 0, "damaged": 0}, differences
            return True

        wait_for(f"{sender.customer_id}: all that was acknowledged is there", nothing_is_missing, 30, every=0.5)
    wait_for("the queues are empty", lambda: all(book.get("queued", 0) == 0 for book in _books(stack).values()), 20)
    assert_books_balance(stack)


@pytest.mark.parametrize("victim", ["collector", "storage"])
def test_nothing_acknowledged_is_lost(stack: Stack, victim: str) -> None:
    stack.start_central()
    start_ms = (int(time.time()) - 600) * 1000
    url = stack.layout.url("collector_http")
    senders = [
        NumberedSender(url, stack.token(customer, "ingest"), customer, start_ms + offset)
        for offset, customer in enumerate(("cliente-a", "cliente-b"))
    ]
    for sender in senders:
        sender.start()
    _break_again_and_again(stack, victim)
    _assert_all_is_there_once(stack, senders)


def test_nothing_the_agent_acknowledged_is_lost(stack: Stack) -> None:
    """Applications send to the relays of two agents, which are killed in turn; their resource names no customer."""
    stack.start_central()
    start_ms = (int(time.time()) - 600) * 1000
    senders = []
    for place in (stack.agents[0], stack.agents[1]):
        stack.start(place.name)
        url = f"http://{place.relay_host}:{stack.layout.ports['collector_http']}"
        senders.append(NumberedSender(url, "none", place.customer_id, start_ms, resource={"service.name": "probe"}))
    for sender in senders:
        sender.start()
    for place in (stack.agents[0], stack.agents[1]):
        _break_again_and_again(stack, place.name)
    _assert_all_is_there_once(stack, senders)


def test_an_agent_killed_goes_on_where_it_was(stack: Stack) -> None:
    stack.start_central()
    agent = stack.agents[0]
    stack.start(agent.name)
    token = stack.token("cliente-a", "read")
    expression = f'system_cpu_usage{{node_id="{agent.node_id}"}}[10m]'

    def samples() -> list[list[float]]:
        result = stack.query(expression, token)
        values: list[list[float]] = result[0]["values"] if result else []
        return values

    wait_for("some samples", lambda: len(samples()) >= 5)
    for _ in range(3):
        before = len(samples())
        stack.kill(agent.name)
        stack.start(agent.name)
        wait_for("samples after the kill", lambda before=before: len(samples()) >= before + 3)  # type: ignore[misc]
    times = [time_s for time_s, _ in samples()]
    assert len(times) == len(set(times))
    assert all(time_s == int(time_s) for time_s in times), "every sample is on the grid"
