"""Line filters that storage applies: what comes is what the router makes of all lines, and what Python makes of them."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue
from otlp import PROTOBUF, attributes
from reading import Reading
from stack import Stack, wait_for

DIRECTORY = """\
customers:
  - {id: cliente-a, name: A, tokens: [{token: read-a, scope: read}]}
  - {id: cliente-b, name: B, tokens: [{token: read-b, scope: read}]}
"""
PIECES = [
    "order",
    "Order",
    "ÓRDEN",
    "órden",
    " ",
    "10.0.0.7",
    "日本",
    "\0",
    "\t",
    '"',
    "\\",
    "`",
    "é",
    "e\u0301",
    "0",
    "99",
    "\n",
    "x",
]
# As RE2 and Python read them alike.
REGEXES = ["(?i)order", "^order", "x$", "(?i)ó", "[^x]+99", "o.d", r"\x00", "(order|99)x?", "日.", "", r'"|\\', "(?i)É"]
# In front of a filter it keeps the router from sending that to storage, and does nothing else.
HERE = '| __error__="" '


def quoted(text: str) -> str:
    escapes = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\0": "\\x00", "\t": "\\t"}
    return '"' + "".join(escapes.get(letter, letter) for letter in text) + '"'


class Filter:
    """One line filter, as text and as Python."""

    def __init__(self, chance: random.Random) -> None:
        self.test = chance.choice(["|=", "!=", "|~", "!~"])
        words = REGEXES if self.test.endswith("~") else [*PIECES, "", "\ufffd", "7日"]
        self.terms = chance.sample(words, chance.choice([1, 1, 2]))

    def __str__(self) -> str:
        return f"{self.test} " + " or ".join(quoted(term) for term in self.terms)

    def passes(self, line: str) -> bool:
        is_regex = self.test.endswith("~")
        # RE2's $ is the very end.
        found = any(re.search(term.replace("$", r"\Z"), line) if is_regex else term in line for term in self.terms)
        return bool(found) != self.test.startswith("!")


class Lines:
    """A router over a storage with lines of two customers, in order: some of one time, some of which come late."""

    def __init__(self, stack: Stack) -> None:
        self.reading = Reading(stack)
        (stack.layout.config / "customers.yaml").write_text(DIRECTORY)
        stack.start("storage", "router")
        self.start_ns = (int(time.time()) - 600) * 1_000_000_000
        chance = random.Random(7)
        self.lines = ["".join(chance.choices(PIECES, k=chance.randrange(8))) for _ in range(400)]
        self.send("cliente-a", self.lines)
        self.send("cliente-b", ["canary order x 99 日本"] * 50)

    def time_of(self, number: int) -> int:
        return self.start_ns + number // 3 * 1_000_000  # three of a time

    def send(
        self,
        customer: str,
        lines: list[Any],
        first: int = 0,
        service: str = "shop",
        said: dict[str, str] | None = None,
    ) -> None:
        request = ExportLogsServiceRequest()
        entry = request.resource_logs.add()
        entry.resource.attributes.extend(attributes({"customer.id": customer, "service.name": service}))
        scope = entry.scope_logs.add()
        for number, text in enumerate(lines, first):
            body = text if isinstance(text, AnyValue) else AnyValue(string_value=text)
            scope.log_records.add(
                time_unix_nano=self.time_of(number),
                body=body,
                severity_text=["INFO", "ERROR"][number % 2],
                attributes=attributes(said or {}),
            )
        token = self.reading.stack.secrets["internal_token"]
        answer = requests.post(
            f"{self.reading.stack.layout.url('storage')}/v1/logs",
            data=request.SerializeToString(),
            headers={**PROTOBUF, "Authorization": f"Bearer {token}", "X-Vigia-Customer": customer},
            timeout=30,
        )
        assert answer.status_code == 200, answer.text

    def ask(self, query: str, token: str = "read-a", **form: Any) -> dict[str, Any]:
        form = {"start": self.start_ns, "limit": 1000, "direction": "forward", **form}
        answer = self.reading.ask("/loki/api/v1/query_range", token, query=query, **form)
        assert answer.status_code == 200, (query, answer.text)
        data: dict[str, Any] = answer.json()["data"]
        return data

    def texts(self, query: str, **form: Any) -> list[tuple[int, str]]:
        """By time; of one time in no order, as streams differ."""
        values = [value for stream in self.ask(query, **form)["result"] for value in stream["values"]]
        return sorted((int(at), text) for at, text in values)

    def wanted(self, filters: list[Filter]) -> list[tuple[int, str]]:
        passing = [n for n, line in enumerate(self.lines) if all(one.passes(line) for one in filters)]
        return sorted((self.time_of(n), self.lines[n]) for n in passing)


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lines]:
    with Stack(tmp_path_factory.mktemp("filters")) as stack:
        yield Lines(stack)


QUERY = '{service_name="shop"} '


class TestFilters:
    def test_whoever_filters_the_same_lines_come(self, lines: Lines) -> None:
        chance = random.Random(11)
        found = 0
        for _ in range(60):
            filters = [Filter(chance) for _ in range(chance.choice([1, 1, 2, 3]))]
            text = " ".join(map(str, filters))
            of_storage = lines.texts(QUERY + text)
            assert of_storage == lines.wanted(filters), text
            assert lines.texts(QUERY + HERE + text) == of_storage, text
            assert lines.texts(QUERY + text + " | level=`error`") == lines.texts(
                '{service_name="shop",level="error"} ' + text
            )
            found += len(of_storage)
        assert 60 * 20 < found < 60 * 380

    @pytest.mark.parametrize("direction", ["forward", "backward"])
    def test_pages_have_each_line_once_and_in_order(self, lines: Lines, direction: str) -> None:
        """C59"""
        passing = [line for line in lines.lines if "order" in line or "99" in line]
        for pipeline in (
            '|= "order" or "99"',
            HERE + '|= "order" or "99"',
            '|~ "order|99" | json | drop __error__, __error_details__',
        ):
            walked: list[str] = []
            cursor, pages = "", 0
            while pages == 0 or cursor:
                data = lines.ask(
                    '{service_name="shop",level="info"} ' + pipeline, direction=direction, limit=7, cursor=cursor
                )
                values = [value[1] for stream in data["result"] for value in stream["values"]]
                assert len(values) == 7 or "cursor" not in data
                walked += values
                cursor, pages = data.get("cursor", ""), pages + 1
            of_level = [line for n, line in enumerate(lines.lines) if n % 2 == 0 and line in passing]
            assert walked == (of_level if direction == "forward" else of_level[::-1]), pipeline

    def test_what_was_looked_at_is_told(self, lines: Lines) -> None:
        data = lines.ask(QUERY + '|= "nowhere at all"')
        summary = data["stats"]["summary"]
        assert data["result"] == []
        assert summary["totalLinesProcessed"] == len(lines.lines)
        assert summary["totalBytesProcessed"] == sum(len(line.encode()) for line in lines.lines)
        assert summary["totalEntriesReturned"] == 0

    def test_nobody_elses_line_is_looked_at(self, lines: Lines) -> None:
        assert all("canary" not in text for _, text in lines.texts('{service_name=~".+"} |= "order"'))
        assert lines.texts('{service_name=~".+"} |= "canary"') == []
        assert len(lines.texts('{service_name=~".+"} |= "canary"', token="read-b")) == 50

    def test_lines_are_counted_by_filter(self, lines: Lines) -> None:
        for text, wanted in (('|= "order"', "order"), ('|~ "日"', "日")):
            for pipeline in (text, HERE + text):
                form: dict[str, Any] = {
                    "query": f"sum(count_over_time({QUERY}{pipeline}[1h]))",
                    "time": lines.start_ns + 10**12,
                }
                answer = lines.reading.ask("/loki/api/v1/query", "read-a", **form)
                assert answer.status_code == 200, answer.text
                (sample,) = answer.json()["data"]["result"]
                assert int(sample["value"][1]) == sum(wanted in line for line in lines.lines)

    @pytest.mark.parametrize(
        "counted",
        [
            "sum by (level) (count_over_time({}[7ms]))",
            "sum(rate({}[20ms] offset 5ms))",
            "sum by (level, detected_level) (bytes_over_time({}[30ms]))",
            "sum by (service_name, nowhere) (bytes_rate({}[1s]))",
            "absent_over_time({}[3ms])",
            "count(sum by (level) (count_over_time({}[10ms]))) or vector(7)",
        ],
    )
    @pytest.mark.parametrize("stages", ["", '|= "order"', '!~ "(?i)o|^$" != "9"'])
    def test_whoever_counts_the_numbers_are_the_same(self, lines: Lines, counted: str, stages: str) -> None:
        for start, end, step in ((-20, 160, 10), (0, 140, 7), (3, 90, 1), (50, 50, 1)):
            asked: dict[str, Any] = {"step": f"{step}ms", "limit": 100, "direction": "forward"}
            asked |= {"start": lines.start_ns + start * 10**6, "end": lines.start_ns + end * 10**6 + 1}
            of_storage = lines.ask(counted.format(QUERY + stages), **asked)["result"]
            of_router = lines.ask(counted.format(QUERY + HERE + stages), **asked)["result"]
            assert of_storage == of_router, (counted, stages, start, end, step)
            # Of the customer's lines alone, those of others being in the same time and streams.
            assert sum(len(one["values"]) for one in of_storage) > 0 or "absent" in counted or step == 1

    def test_labels_that_lines_say_themselves_are_read(self, lines: Lines) -> None:
        plain, said = "plain", "said"
        lines.send("cliente-a", ["a", "b", "c"], service=plain)
        lines.send("cliente-a", ["a", "b", "c"], service=said, said={"detected.level": "warn"})
        by_level = 'sum by (detected_level) (count_over_time({{service_name="{}"}}[1m]))'
        asked: dict[str, Any] = {"start": lines.start_ns, "end": lines.start_ns + 60 * 10**9, "step": "60s"}
        for service, labels in ((plain, {}), (said, {"detected_level": "warn"})):
            (one,) = lines.ask(by_level.format(service), **asked)["result"]
            assert one["metric"] == labels
            assert [value for _, value in one["values"]] == ["3"]

    def test_bodies_of_lists_are_looked_at_as_they_are_shown(self, lines: Lines) -> None:
        body = AnyValue(array_value=ArrayValue(values=[AnyValue(string_value="a\tb"), AnyValue(int_value=7)]))
        binary = AnyValue(bytes_value=b"\xff\x00")
        lines.send("cliente-a", [body, AnyValue(int_value=42), AnyValue(bool_value=True), binary], service="odd")
        query = '{service_name="odd"} '
        shown = [text for _, text in lines.texts(query)]
        assert len(shown) == 4
        for text in [*shown, '["a', "7]", "42", "rue"]:
            found = [line for _, line in lines.texts(query + "|= " + quoted(text))]
            assert found == [line for line in shown if text in line], text
            assert found == [line for _, line in lines.texts(query + HERE + "|= " + quoted(text))]

    def test_a_line_that_comes_between_pages_moves_none(self, lines: Lines) -> None:
        lines.send("cliente-a", ["late order"] * 9, service="late")
        query = '{service_name=~"late.*"} |= "order"'
        first = lines.ask(query, limit=4, cursor="")
        # Before the place, at another time: the walk goes on behind it.
        lines.send("cliente-a", ["early order"], first=-30, service="late-2")
        rest = lines.ask(query, start=lines.start_ns - 10**9, limit=100, cursor=first["cursor"])
        walked = [value[1] for data in (first, rest) for stream in data["result"] for value in stream["values"]]
        assert walked == ["late order"] * 9

    def test_what_is_no_filter_is_refused(self, lines: Lines) -> None:
        for bad in ('|~ "("', '|= "a', '|= ip("x")', '|~ "(a{1000}){1000}"'):
            answer = lines.reading.ask("/loki/api/v1/query_range", "read-a", query=QUERY + bad, start=lines.start_ns)
            assert answer.status_code in (400, 413), (bad, answer.text)
        url = f"{lines.reading.stack.layout.url('storage')}/api/v1/logs"
        headers = {
            "Authorization": f"Bearer {lines.reading.stack.secrets['internal_token']}",
            "X-Vigia-Customer": "cliente-a",
        }
        for bad in ("| json", '} |= "a"', "x"):
            answer = requests.get(url, params={"start": "0", "end": "1", "lines": bad}, headers=headers, timeout=10)
            assert answer.status_code == 400, answer.text


def test_a_killed_storage_goes_on_behind_the_cursor(tmp_path: Any) -> None:
    with Stack(tmp_path) as stack:
        lines = Lines(stack)
        walked: list[str] = []
        cursor = ""
        for page in range(60):
            data = lines.ask(QUERY + '|= "order"', limit=20, cursor=cursor)
            walked += [value[1] for stream in sorted(data["result"], key=str) for value in stream["values"]]
            cursor = data.get("cursor", "")
            if not cursor:
                break
            if page == 1:
                stack.kill("storage")
                stack.start("storage")
                wait_for("storage", lambda: lines.reading.ask("/loki/api/v1/labels", "read-a").ok or None)
        assert sorted(walked) == sorted(line for line in lines.lines if "order" in line)
