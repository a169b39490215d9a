"""All that can be asked of a cold store, each answer held against the model."""

from __future__ import annotations

import json
import random
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import requests
from cold_model import DAY_MS, Customer, Exemplar, Labels, LogLine, Matchers, Model, Span, Value
from cold_store import TOKEN
from cold_values import Values, bits_of, histogram_of, kept_bits, read_query, sampled, streamed
from remote_read import CHUNKS, SAMPLES, post_read
from stack import binaries

ALWAYS = (0, 10**13)


def headers_of(customer: str) -> dict[str, str]:
    return {**TOKEN, "X-Vigia-Customer": customer}


class Questions:
    may_come_later = False  # samples that were not answered, and are not there when they are looked for

    def __init__(self, url: str, model: Model) -> None:
        self.url, self.model = url, model

    def samples(
        self, customer: str, asked: tuple[Matchers, int, int], kind: bytes, *, is_settled: bool = False
    ) -> None:
        answer = post_read(self.url, read_query(*asked), kind, headers_of(customer))
        assert answer.status_code == 200, answer.text
        is_by_chunk = kind == CHUNKS
        found = streamed(answer.content) if is_by_chunk else sampled(answer)
        self.model.check_samples(customer, found, asked, is_settled=is_settled, is_by_chunk=is_by_chunk)

    def labels(self, customer: str, asked: tuple[Matchers, int, int], name: str) -> None:
        matchers, from_ms, to_ms = asked
        given = self._get(customer, "/api/v1/series", asked)["data"]
        self.model.check_series(customer, [tuple(sorted(labels.items())) for labels in given], asked)
        must, may = self.model.series_between(customer, asked)
        if not matchers:
            may |= self.model.values_between(customer, from_ms, to_ms)
        for path, of in (("/api/v1/labels", _names), (f"/api/v1/label/{name}/values", lambda one: _values(one, name))):
            texts = self._get(customer, path, asked)["data"]
            assert texts == sorted(set(texts)), f"{customer}: {path} is not in order"
            wanted, most = of(must), of(may)
            assert wanted <= set(texts) <= most, f"{customer}: {path} of {asked} gives {texts}, not {wanted} to {most}"

    def _get(self, customer: str, path: str, asked: tuple[Matchers, int, int]) -> Any:
        matchers, from_ms, to_ms = asked
        parameters = [("start", f"{from_ms / 1000}"), ("end", f"{to_ms / 1000}")]
        matchers = matchers or ([("__name__", "=~", ".*")] if path.endswith("series") else [])  # it asks for one
        parameters += [("matcher", "".join(matcher)) for matcher in matchers]
        return _answer(requests.get(f"{self.url}{path}", params=parameters, headers=headers_of(customer), timeout=60))

    def log_lines(
        self,
        customer: str,
        parameters: dict[str, str],
        wanted: Any,
        times: tuple[int, int],
        *,
        is_settled: bool = False,
    ) -> None:
        """Page by page; `times` in whole seconds."""
        asked = {"start": str(times[0]), "end": str(times[1]), **parameters}
        found: list[tuple[int, str, str, str]] = []
        for page in self._pages(customer, "/api/v1/logs", asked):
            assert "warnings" not in page or "cursor" in page, page["warnings"]
            assert len(page["data"]) <= int(parameters.get("limit", 5000))
            found += [_line(record) for record in page["data"]]
        expected = self.model.lines_of(customer, wanted, times[0] * 10**9, times[1] * 10**9 + 999_999)
        if parameters.get("direction") == "backward":
            expected.reverse()
        there = set(found)
        lines = [line for line, is_sure in expected if is_sure or _text(line) in there]
        _assert_same([_text(line) for line in lines], found, f"{customer}: log lines of {parameters}")
        if is_settled:
            self.model.settle_lines(customer, set(lines))

    def traces_by_id(self, customer: str, ids: Iterable[int], *, is_settled: bool = False) -> None:
        seen: set[Span] = set()
        everything = self.model.spans_of(customer)
        for trace in ids:
            answer = requests.get(f"{self.url}/api/v1/traces/{trace:032x}", headers=headers_of(customer), timeout=60)
            expected = {span for span in everything if span.trace == trace}
            given = _spans(_answer(answer)["data"]) if answer.status_code != 404 else set()
            own = self.model.of(customer).spans
            there = {span for span in expected if _span(span) in given}
            assert {_span(span) for span in there} == given, f"{customer}: trace {trace:x} has other spans: {given}"
            lost = [span for span in expected if own[span] and span not in there]
            assert not lost, f"{customer}: {len(lost)} of {len(expected)} spans of trace {trace:x} are lost: {lost[:3]}"
            seen |= there
        if is_settled:
            self.model.settle_spans(customer, seen)

    def traces_found(self, customer: str, service: str, operation: str, times: tuple[int, int], limit: int) -> None:
        """Every trace once, the one with the latest such span first, whole; of spans that are all sure."""
        asked = {"service": service, "start": str(times[0]), "end": str(times[1]), "limit": str(limit)}
        asked |= {"operation": operation} if operation else {}

        def fits(span: Span) -> bool:
            inside = times[0] * 10**9 <= span.start_ns <= times[1] * 10**9
            return inside and span.service == service and operation in ("", span.name)

        latest: dict[int, int] = {}
        for span in self.model.spans_of(customer, fits):
            latest[span.trace] = max(latest.get(span.trace, 0), span.start_ns)
        found = []
        for page in self._pages(customer, "/api/v1/traces", asked):
            assert len(page["data"]) <= limit
            for trace in page["data"]:
                found.append(int(trace["traceID"], 16))
                whole = self.model.spans_of(customer, lambda span: span.trace == found[-1])
                assert _spans([trace]) == {_span(span) for span in whole}, (
                    f"{customer}: not the whole trace {found[-1]:x}"
                )
        expected = sorted(latest, key=lambda trace: -latest[trace])
        _assert_same(expected, found, f"{customer}: traces of {asked}")

    def exemplars(self, customer: str, *, is_settled: bool = False) -> None:
        parameters = {"matcher": "__name__=~.+", "start": "0", "end": str(10**10)}
        answer = requests.get(
            f"{self.url}/api/v1/exemplars", params=parameters, headers=headers_of(customer), timeout=60
        )
        found = [
            Exemplar(
                tuple(sorted(one["seriesLabels"].items())),
                round(each["timestamp"] * 1000),
                each["value"],
                each["labels"]["trace_id"],
            )
            for one in _answer(answer)["data"]
            for each in one["exemplars"]
        ]
        assert len(found) == len(set(found)), f"{customer}: an exemplar came twice"
        self.model.check_exemplars(customer, set(found), is_settled=is_settled)

    def _pages(self, customer: str, path: str, asked: dict[str, str]) -> Iterable[Any]:
        cursors = set()
        while True:
            page = _answer(requests.get(f"{self.url}{path}", params=asked, headers=headers_of(customer), timeout=60))
            yield page
            if "cursor" not in page:
                return
            assert page["cursor"] not in cursors, "a cursor leads back"
            cursors.add(page["cursor"])
            asked = {**asked, "cursor": page["cursor"]}

    def all(self, customers: Iterable[str], *, is_settled: bool = False) -> None:
        """Everything of each of them, and that there is nothing else."""
        for customer in customers:
            own = self.model.customers.get(customer, Customer())
            everything: tuple[Matchers, int, int] = ((), *ALWAYS)
            self.samples(customer, everything, SAMPLES, is_settled=is_settled and not self.may_come_later)
            self.samples(customer, everything, CHUNKS)
            self.labels(customer, everything, "n")
            self.log_lines(customer, {"limit": "777"}, lambda _: True, (0, 10**10), is_settled=is_settled)
            unsure = {span.trace for span, is_sure in own.spans.items() if not is_sure}
            self.traces_by_id(
                customer, unsure if is_settled else {span.trace for span in own.spans}, is_settled=is_settled
            )
            self.exemplars(customer, is_settled=is_settled)


def _answer(answer: requests.Response) -> Any:
    assert answer.status_code == 200, f"{answer.url}: {answer.status_code} {answer.text}"
    return answer.json()


def _names(series: set[Labels]) -> set[str]:
    return {name for labels in series for name, _ in labels}


def _values(series: set[Labels], name: str) -> set[str]:
    return {value for labels in series for each, value in labels if each == name}


def _text(line: LogLine) -> tuple[int, str, str, str]:
    return line.time_ns, line.service, line.node, line.text


def _line(record: Any) -> tuple[int, str, str, str]:
    resource = record["resource"]
    return int(record["time_ns"]), resource["service.name"], resource["node.id"], record["body"]


def _span(span: Span) -> tuple[str, str, int, str]:
    return f"{span.span:016x}", span.name, span.start_ns // 1000, span.service


def _spans(traces: Any) -> set[tuple[str, str, int, str]]:
    found = [
        (span["spanID"], span["operationName"], span["startTime"], trace["processes"][span["processID"]]["serviceName"])
        for trace in traces
        for span in trace["spans"]
    ]
    assert len(found) == len(set(found)), "a span came twice"
    return set(found)


def _assert_same(expected: list[Any], found: list[Any], what: str) -> None:
    if expected == found:
        return
    lost, strange = set(expected) - set(found), set(found) - set(expected)
    at = next(
        (i for i, pair in enumerate(zip(expected, found, strict=False)) if pair[0] != pair[1]),
        min(len(expected), len(found)),
    )
    raise AssertionError(
        f"{what}: {len(found)} came, {len(expected)} were wanted; lost {sorted(lost)[:3]}, not wanted {sorted(strange)[:3]}, "
        f"first otherwise at {at}: {found[at : at + 3]}, not {expected[at : at + 3]}"
    )


# What lies in a folder that nobody has open


def inspected(folder: Path) -> dict[str, Values]:
    """By customer, what `inspect --raw` finds: of lines for one time the one with the lowest version, the log's last."""
    words = [str(binaries() / "vigia-storage"), "inspect", str(folder), "--raw"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    best: dict[tuple[str, Labels, int, bool], tuple[float, Value]] = {}
    for line in map(json.loads, (text for text in done.stdout.splitlines() if text.startswith("{"))):
        labels = tuple(sorted((line["labels"] or {}).items()))  # none: the series has gone, its samples are to go
        place = (line["customer"], labels, line["time_ms"], "histogram" in line)
        rank = line.get("version", float("inf"))
        if place not in best or rank < best[place][0]:
            best[place] = (rank, _raw_value(line))
    found: dict[str, Values] = {}
    for (customer, labels, time_ms, _), (_, value) in best.items():
        found.setdefault(customer, {}).setdefault(labels, {})[time_ms] = value
    return found


def _raw_value(line: Any) -> Value:
    if "histogram" in line:
        return histogram_of(bytes.fromhex(line["histogram"]))[1]
    return int(line["bits"], 16) if "bits" in line else kept_bits(bits_of(float(line["value"])))


def check_folder(folder: Path, model: Model) -> None:
    """It holds what the model has, and beside it at most what has expired."""
    found = inspected(folder)
    strange = set(found) - set(model.customers)
    assert not strange, f"{folder} holds samples of {strange}"
    for customer in model.customers:
        kept: Values = {}
        for labels, samples in found.get(customer, {}).items():
            kept[labels] = {at: value for at, value in samples.items() if at >= model.kept_ms["raw"]}
        model.check_samples(customer, {labels: samples for labels, samples in kept.items() if samples})


def random_matchers(chance: random.Random) -> Matchers:
    return chance.choice(
        [
            (),
            (("__name__", "=", "m0"),),
            (("__name__", "=~", "m.*"), ("n", "=~", "0|2|4")),
            (("__name__", "!=", "m1"), ("zone", "=", "")),
            (("zone", "!=", ""), ("n", "!~", "[0-2]")),
            (("__name__", "=~", "h[if]"),),
        ]
    )


def random_range(chance: random.Random, now_ms: int, times: list[int]) -> tuple[int, int]:
    """Often just at a sample, where one more or less shows."""
    if chance.random() < 0.2:
        return ALWAYS
    if times and chance.random() < 0.7:
        one = chance.choice(times)
        return one, one + chance.choice([0, 1, 15_000, 3_600_000, 2 * DAY_MS])
    first = now_ms - chance.randrange(16 * DAY_MS)
    return first, first + chance.randrange(3 * DAY_MS)
