"""What a write that lies is made of (write_probes.py): resources that say in every way whose they are, and items that name another
customer wherever a name can stand."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass

from google.protobuf.message import Message
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import ScopeLogs
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality, Exemplar, Metric, ScopeMetrics
from opentelemetry.proto.trace.v1.trace_pb2 import ScopeSpans, Span
from remote_write import sized

OVERWRITTEN = "target_total"  # a series of each customer, with the same labels but customer_id
OVERWRITTEN_BY = 666.0
_CUMULATIVE = AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE

# Of the customer's key, as somebody's reader, folder or cleaner of names might write it.
SPELLINGS = (
    *("customer.id", "customer_id", "customer-id", "customer/id", "customer id", "customer:id", "customer..id"),
    *("Customer.Id", "CUSTOMER_ID", "customerId", "customerid", "customer__id", "_customer_id", "__customer_id"),
    *("customer.id ", " customer.id", "customer.id\0", "customer.id\n", "customer․id", "customer．id", "сustomer.id"),
    *("exported_customer_id", "key_customer_id", "resource.customer.id", "customer.id.0", "customer\u200d.id"),
    *(
        'customer_id="cliente-b",x',
        '"customer_id"',
        "customer_id=",
        "customer_id{",
        "tenant",
        "tenant_id",
        "__tenant_id__",
    ),
    *(
        "X-Vigia-Customer",
        "x-scope-orgid",
        "of_customer",
        "vigia.customer",
        "__rollup__",
        "__name__",
        "job",
        "instance",
    ),
    *("le", "quantile", "node_id", "node.id", "hot_shard", "shard", "service.name", "alertname", "otel_scope_name"),
)
VALUES = (
    *("cliente-b", "cliente-b", "cliente-b", "cliente-c", " cliente-b", "cliente-b ", "cliente-b\0", "cliente-b\n"),
    *("CLIENTE-B", "сliente-b", "cliente-a,cliente-b", 'cliente-a",customer_id="cliente-b', "cliente-a\0cliente-b"),
    *("../cliente-b", "_provider", "*", "", "cliente-a\xffcliente-b", "customer-agents", "1h:sum", "hot-0"),
)
# Names of metrics that our own programs write, or that end a name early.
NAMES = (
    *("vigia_hot_heartbeat", "vigia.hot.heartbeat", "vigia_cold_hole", "vigia_hot_hole", "vigia:x", "up", "scrape_x"),
    *("ALERTS", "ALERTS_FOR_STATE", "target_info", "otelcol_x", "agent_x", "", "shared", "guess_b_total"),
    *('x{customer_id="cliente-b"}', 'x"} 1\ny{customer_id="cliente-b"} 2\n', "x\0y", "customer_id", "__name__"),
)


def text(value: str) -> bytes:
    """An AnyValue; Latin-1 gives U+00FF as a byte that is no UTF-8."""
    return sized(1, value.encode("latin-1") if "\xff" in value else value.encode())


def pair(key: str, value: bytes) -> bytes:
    """A resource's attribute."""
    return sized(1, sized(1, key.encode()) + sized(2, value))


OWN, FOREIGN = pair("customer.id", text("cliente-a")), pair("customer.id", text("cliente-b"))


@dataclass
class Group:
    """ResourceMetrics and their like: resources, of which there should be one, before the items or behind them."""

    resources: list[bytes]
    is_behind: bool = False

    def message(self, scope: bytes) -> bytes:
        resources = b"".join(sized(1, one) for one in self.resources)
        return sized(1, sized(2, scope) + resources if self.is_behind else resources + sized(2, scope))


def claims_of(chance: random.Random, base: bytes) -> dict[str, list[Group]]:
    """Ways in which resources say whose they are."""
    key, value = chance.choice(SPELLINGS), chance.choice(VALUES)
    odd = pair(key, text(value))
    name = sized(1, b"customer.id")
    both = sized(2, text("cliente-a")) + sized(2, text("cliente-b"))
    other_way = sized(2, text("cliente-b")) + sized(2, text("cliente-a"))
    no_text = chance.choice(
        (
            sized(5, sized(1, text("cliente-b"))),
            sized(7, b"cliente-b"),
            sized(6, sized(1, sized(1, b"id") + sized(2, text("cliente-b")))),
            b"\x18\x07",
            b"\x10\x01",
            b"",
        )
    )
    return {
        "own": [Group([OWN + base])],
        "foreign": [Group([FOREIGN + base])],
        "nobody's": [Group([base])],
        "own, then foreign": [Group([OWN + base + FOREIGN])],
        "foreign, then own": [Group([FOREIGN + base + OWN])],
        "another spelling": [Group([OWN + base + odd])],
        "another spelling first": [Group([odd + OWN + base])],
        "another spelling alone": [Group([odd + base])],
        "an odd value": [Group([pair("customer.id", text(value)) + base])],
        "own, and an odd value": [Group([OWN + base + pair("customer.id", text(value))])],
        "two resources": [Group([OWN + base, FOREIGN])],
        "two resources, own last": [Group([FOREIGN + base, OWN])],
        "two resources, half each": [Group([base, OWN, pair(key, text("cliente-b"))])],
        "behind": [Group([OWN + base + odd], is_behind=True)],
        "two behind": [Group([OWN + base, FOREIGN], is_behind=True)],
        "a key twice": [Group([base + sized(1, name + sized(1, key.encode()) + sized(2, text("cliente-b"))) + OWN])],
        "a key twice, own last": [
            Group([base + sized(1, sized(1, key.encode()) + name + sized(2, text("cliente-b"))) + OWN])
        ],
        "a value twice": [Group([base + sized(1, name + both)])],
        "a value twice, own last": [Group([base + sized(1, name + other_way)])],
        "two texts in a value": [Group([base + sized(1, name + sized(2, text("cliente-a") + text("cliente-b")))])],
        "a text and a number": [Group([base + sized(1, name + sized(2, text("cliente-b") + b"\x18\x05")) + OWN])],
        "no text": [Group([base + sized(1, name + sized(2, no_text)) + (OWN if chance.random() < 0.5 else b"")])],
        "mixed": chance.sample(
            [Group([OWN + base]), Group([FOREIGN + base]), Group([base]), Group([OWN + odd + base])], 4
        ),
        "entities": [Group([OWN + base + sized(3, sized(2, b"customer") + sized(3, b"customer.id"))])],
        "no resource, then own": [Group([]), Group([OWN + base])],
    }


CLAIMS = tuple(claims_of(random.Random(0), b""))


def _pairs(chance: random.Random, word: str) -> list[KeyValue]:
    """Attributes of an item, a scope, an event, an exemplar: one in two says that it is another's."""
    made = {"route": f"/{word}", f"{word}.key": "x"}
    if chance.random() < 0.5:
        value = chance.choice(VALUES)
        made[chance.choice(SPELLINGS)] = value if "\xff" not in value else "cliente-b"
    listed = [KeyValue(key=key, value=AnyValue(string_value=value)) for key, value in made.items()]
    if chance.random() < 0.2:
        listed.append(KeyValue(key="customer_id", value=AnyValue(string_value="cliente-b")))
        listed.append(KeyValue(key="customer.id", value=AnyValue(string_value="cliente-c")))
    return listed


def _exemplar(chance: random.Random, word: str, at_ns: int) -> Exemplar:
    return Exemplar(
        time_unix_nano=at_ns,
        as_double=1,
        trace_id=b"b" * 16,
        span_id=b"b" * 8,
        filtered_attributes=_pairs(chance, word),
    )


def _metrics(chance: random.Random, word: str, at_ns: int) -> ScopeMetrics:
    made = ScopeMetrics(schema_url=f"https://cliente-b/{word}")
    made.scope.name, made.scope.version = "cliente-b", word
    made.scope.attributes.extend(_pairs(chance, word))
    exemplars = [_exemplar(chance, word, at_ns)]
    labels = _pairs(chance, word)
    gauge = Metric(name=f"{word}.gauge", description=f"{word} help", unit="By")
    gauge.gauge.data_points.add(time_unix_nano=at_ns, as_double=1, attributes=labels, exemplars=exemplars)
    gauge.metadata.extend(_pairs(chance, word))
    named = Metric(name=chance.choice(NAMES))
    named.gauge.data_points.add(time_unix_nano=at_ns, as_double=OVERWRITTEN_BY, attributes=labels)
    total = Metric(name=f"{word}.total")
    total.sum.is_monotonic, total.sum.aggregation_temporality = True, _CUMULATIVE
    total.sum.data_points.add(time_unix_nano=at_ns, as_double=2, attributes=labels, exemplars=exemplars)
    seconds = Metric(name=f"{word}.seconds")
    seconds.histogram.aggregation_temporality = _CUMULATIVE
    seconds.histogram.data_points.add(
        time_unix_nano=at_ns,
        count=1,
        sum=1,
        bucket_counts=[1, 0],
        explicit_bounds=[1],
        attributes=labels,
        exemplars=exemplars,
    )
    sizes = Metric(name=f"{word}.sizes")
    sizes.exponential_histogram.aggregation_temporality = _CUMULATIVE
    sizes.exponential_histogram.data_points.add(time_unix_nano=at_ns, count=1, sum=1, zero_count=1, attributes=labels)
    # The very series that another has, but for the label that says whose it is.
    same = Metric(name=OVERWRITTEN)
    for own in ({}, {"customer_id": "cliente-b"}, {"customer.id": "cliente-b"}):
        listed = [KeyValue(key=key, value=AnyValue(string_value=value)) for key, value in own.items()]
        same.gauge.data_points.add(time_unix_nano=at_ns, as_double=OVERWRITTEN_BY, attributes=listed)
    made.metrics.extend(chance.sample([gauge, named, total, seconds, sizes, same], 6))
    return made


def _traces(chance: random.Random, word: str, at_ns: int) -> ScopeSpans:
    made = ScopeSpans(schema_url=word)
    made.scope.name = word
    made.scope.attributes.extend(_pairs(chance, word))
    # The trace that cliente-b has, by the id that others may guess.
    trace_id = chance.choice((bytes.fromhex("b" * 32), bytes.fromhex("12" * 16), chance.randbytes(16)))
    span = made.spans.add(
        trace_id=trace_id, span_id=chance.randbytes(8), name=f"{word} span", kind=Span.SPAN_KIND_SERVER
    )
    span.start_time_unix_nano, span.end_time_unix_nano = at_ns - 1_000_000, at_ns
    span.trace_state = "customer_id=cliente-b"
    span.attributes.extend(_pairs(chance, word))
    span.events.add(name=word, time_unix_nano=at_ns, attributes=_pairs(chance, word))
    span.links.add(trace_id=bytes.fromhex("c" * 32), span_id=b"c" * 8, attributes=_pairs(chance, word))
    return made


def _logs(chance: random.Random, word: str, at_ns: int) -> ScopeLogs:
    made = ScopeLogs(schema_url=word)
    made.scope.attributes.extend(_pairs(chance, word))
    record = made.log_records.add(time_unix_nano=at_ns, severity_text=chance.choice(("INFO", "cliente-b", word)))
    record.event_name, record.trace_id, record.span_id = word, bytes.fromhex("b" * 32), b"b" * 8
    record.attributes.extend(_pairs(chance, word))
    if chance.random() < 0.5:
        record.body.string_value = f'{word} {{"customer_id":"cliente-b","customer.id":"cliente-c"}}'
    else:
        record.body.kvlist_value.values.extend(_pairs(chance, word))
    return made


SCOPES: dict[str, Callable[[random.Random, str, int], Message]] = {
    "metrics": _metrics,
    "traces": _traces,
    "logs": _logs,
}


def _said(key: str, value: str) -> str:
    """An attribute in JSON; both come quoted."""
    return f'{{"key":{key},"value":{{"stringValue":{value}}}}}'


def _listed(*entries: str) -> str:
    return '{"attributes":[' + ",".join(entries) + "]}"


def json_body(chance: random.Random, signal: str, word: str, at_ns: int) -> bytes:
    """OTLP's JSON, of which readers differ in what a key twice means, and in escapes."""
    key, value = '"customer.id"', json.dumps(chance.choice([one for one in VALUES if "\xff" not in one]))
    mine, others = _said(key, '"cliente-a"'), _said(key, '"cliente-b"')
    both = '{"key":"customer.id","value":{"stringValue":"cliente-a",SECOND}}'
    resources = (
        f'"resource":{_listed(mine)}',
        f'"resource":{_listed(mine)},"resource":{_listed(others)}',
        f'"resource":{_listed(others)},"resource":{_listed(mine)}',
        f'"resource":{_listed(mine)},"Resource":{_listed(others)}',
        f'"resource":{_listed(others)}',
        f'"resource":{_listed(mine, _said(key, value))}',
        f'"resource":{_listed(mine)[:-1]},"attributes":[{_said(key, value)}]}}',
        f'"resource":{_listed(_said(chr(34) + "customer" + chr(92) + "u002eid" + chr(34), chr(34) + "cliente-b" + chr(34)), mine)}',
        f'"resource":{_listed(others.replace(key, key + "," + chr(34) + "key" + chr(34) + ":" + chr(34) + "x" + chr(34)), mine)}',
        f'"resource":{_listed(both.replace("SECOND", chr(34) + "stringValue" + chr(34) + ":" + value))}',
        f'"resource":{_listed(both.replace("SECOND", chr(34) + "intValue" + chr(34) + ":7"))}',
        f'"resource":{_listed(both.replace("SECOND", chr(34) + "string_value" + chr(34) + ":" + value))}',
    )
    labels = _listed(_said('"customer_id"', '"cliente-b"'), _said('"w"', json.dumps(word)))[1:-1]
    point = f'"timeUnixNano":"{at_ns}",{labels}'
    span = f'"traceId":"{"b" * 32}","spanId":"{"b1" * 8}","startTimeUnixNano":"{at_ns}",{labels}'
    outer, items = {
        "metrics": (
            "resourceMetrics",
            f'"scopeMetrics":[{{"metrics":[{{"name":"{word}_json","gauge":{{"dataPoints":[{{"asDouble":1,{point}}}]}}}}]}}]',
        ),
        "traces": ("resourceSpans", f'"scopeSpans":[{{"spans":[{{"name":"{word}",{span}}}]}}]'),
        "logs": ("resourceLogs", f'"scopeLogs":[{{"logRecords":[{{"body":{{"stringValue":"{word}"}},{point}}}]}}]'),
    }[signal]
    parts = [chance.choice(resources), items]
    chance.shuffle(parts)
    return f'{{"{outer}":[{{{",".join(parts)}}}]}}'.encode()
