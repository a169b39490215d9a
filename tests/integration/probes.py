"""What is asked of the router to find a hole in a customer's fence (I2 to I4): every path of docs/api/router.yaml, with expressions
of both languages over every kind of node, in every encoding that might be read in two ways. Made from a seed."""

from __future__ import annotations

import base64
import random
import urllib.parse
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from canaries import CUSTOMERS, OLD_MS, trace_of
from logql_words import LogqlWords
from probe_wire import Wired
from promql_words import REGEXES, PromqlWords
from remote_write import sized, snappy, varint

Pairs = list[tuple[str, str]]
_FORM = (b"Content-Type", b"application/x-www-form-urlencoded")
_LIES = ("cliente-b", "cliente-a", "_provider", "*", "", "cliente-b|cliente-c", "cliente-b,cliente-c", "../cliente-b")
# Parameters of others' APIs that widen what is seen there.
_FOREIGN: Pairs = [
    ("extra_label", "customer_id=cliente-b"),
    ("extra_filters[]", '{customer_id="cliente-b"}'),
    ("customer_id", "cliente-b"),
    ("customer", "cliente-b"),
    ("tenant", "cliente-b"),
    ("X-Vigia-Customer", "cliente-b"),
    ("X-Scope-OrgID", "cliente-b"),
    ("token", "op"),
    ("access_token", "op"),
    ("partial_response", "true"),
    ("storeMatch[]", "{}"),
    ("replicaLabels[]", "customer_id"),
    ("nocache", "1"),
]


@dataclass(frozen=True)
class Probe:
    """One question. `route` is the path as router.yaml writes it."""

    route: str
    method: str
    path: str
    pairs: Pairs
    trick: str = "plain"
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    raw_query: bytes | None = None  # in the place of `pairs`
    raw_body: bytes | None = None
    is_h2: bool = False
    pseudo: list[tuple[bytes, bytes]] = field(default_factory=list)

    def wired(self, token: str) -> Wired:
        encoded = urllib.parse.urlencode(self.pairs).encode()
        in_body = self.method == "POST" and self.raw_query is None
        query = self.raw_query if self.raw_query is not None else b"" if in_body else encoded
        body = self.raw_body if self.raw_body is not None else encoded if in_body else b""
        body = body.replace(b"Bearer TOKEN", b"Bearer " + token.encode())
        target = self.path.encode() + (b"?" + query if query else b"")
        headers = [(name, _with_token(value, token.encode())) for name, value in self.headers]
        if not any(name.lower() == b"authorization" for name, _ in headers):
            headers.append((b"Authorization", b"Bearer " + token.encode()))
        if body and not any(name.lower() == b"content-type" for name, _ in headers):
            headers.append(_FORM)
        pseudo = [(name, target if value == b"TARGET" else value) for name, value in self.pseudo]
        return Wired(self.method.encode(), target, headers, body, self.is_h2, pseudo)

    def shown(self) -> str:
        return (
            f"{self.trick}: {self.method} {self.path} {self.pairs} {self.headers} {self.raw_query!r} {self.raw_body!r}"
        )


def _with_token(value: bytes, token: bytes) -> bytes:
    kind, _, secret = value.partition(b" ")
    if kind == b"Basic":
        return b"Basic " + base64.b64encode(base64.b64decode(secret).replace(b"TOKEN", token))
    return value.replace(b"TOKEN", token)


Trick = Callable[[random.Random, Probe], Probe]


def _escaped(text: str, chance: random.Random) -> bytes:
    form = chance.choice(("%{:02X}", "%{:02x}"))
    return "".join(form.format(byte) for byte in text.encode()).encode()


def _every_byte(chance: random.Random, probe: Probe) -> Probe:
    query = b"&".join(_escaped(key, chance) + b"=" + _escaped(value, chance) for key, value in probe.pairs)
    return replace(probe, raw_query=query) if probe.method != "POST" else replace(probe, raw_body=query)


def _twice(chance: random.Random, probe: Probe) -> Probe:
    """Of the same name another value, behind or before it, here or in the other place."""
    other = chance.choice(('{customer_id="cliente-b"}', "guess_b_total", '{service_name="guess-b"}', "cliente-b"))
    named = probe.pairs[0][0] if probe.pairs else "query"
    second = [(named, other)]
    pairs = probe.pairs + second if chance.random() < 0.5 else second + probe.pairs
    if probe.method == "POST" and chance.random() < 0.5:
        return replace(
            probe,
            raw_query=urllib.parse.urlencode(second).encode(),
            raw_body=urllib.parse.urlencode(probe.pairs).encode(),
        )
    return replace(probe, pairs=pairs)


def _split(chance: random.Random, probe: Probe) -> Probe:
    """Half in the URL, half in the form."""
    at = chance.randrange(len(probe.pairs) + 1)
    url, form = (urllib.parse.urlencode(part).encode() for part in (probe.pairs[:at], probe.pairs[at:]))
    return replace(probe, method="POST", raw_query=url, raw_body=form)


def _body_of_get(chance: random.Random, probe: Probe) -> Probe:
    return replace(
        probe, method="GET", raw_query=b"", raw_body=urllib.parse.urlencode(probe.pairs).encode() or b"query=up"
    )


def _other_body(chance: random.Random, probe: Probe) -> Probe:
    kind = chance.choice(
        (
            b"application/json",
            b"multipart/form-data; boundary=x",
            b"text/plain",
            b"application/x-www-form-urlencoded; charset=utf-7",
        )
    )
    body = urllib.parse.urlencode(probe.pairs).encode()
    if kind == b"application/json":
        body = b'{"query":"guess_b_total","match[]":["guess_b_total"]}'
    elif kind.startswith(b"multipart"):
        body = b'--x\r\nContent-Disposition: form-data; name="query"\r\n\r\nguess_b_total\r\n--x--\r\n'
    return replace(probe, method="POST", raw_query=b"", raw_body=body, headers=[(b"Content-Type", kind)])


_PATHS: tuple[Callable[[str], str], ...] = (
    str.upper,
    str.title,
    lambda path: "/" + path,
    lambda path: path.replace("/api/", "//api/", 1),
    lambda path: path.replace("/v1/", "/v1/./"),
    lambda path: path.replace("/v1/", "/v1/../v1/"),
    lambda path: path + "/",
    lambda path: path + ".",
    lambda path: path + "..",
    lambda path: path + ";customer_id=cliente-b",
    lambda path: path + "%00",
    lambda path: path + "%20",
    lambda path: path.replace("/", "%2f"),
    lambda path: path.replace("/", "%c0%af"),
    lambda path: path.replace("/", "\\"),
    lambda path: path.replace("a", "%61", 1),
    lambda path: path.replace("a", "%ef%bd%81", 1),
    lambda path: path.replace("e", "%D0%B5", 1),
    lambda path: path + "/..%2f..%2fquery",
    lambda path: "/cliente-b" + path,
    lambda path: "http://cliente-b" + path,
    lambda path: path[1:],
    lambda path: path + "#x",
    lambda path: path + "?query=guess_b_total&",
)


def _other_path(chance: random.Random, probe: Probe) -> Probe:
    return replace(probe, path=chance.choice(_PATHS)(probe.path))


def _look_alikes(chance: random.Random, probe: Probe) -> Probe:
    """The same word to an eye, or to a reader who folds or decodes more than he should."""
    made = []
    for key, value in probe.pairs:
        if "cliente-" in value:
            value = value.replace(
                "cliente-",
                chance.choice(("сliente-", "ｃliente-", "cliente‐", "cliente-\u200d", "CLIENTE-", "clıente-")),
            )
        value = value.replace('"', chance.choice(('"', "＂", "”")), 2) if chance.random() < 0.3 else value
        made.append((key, value))
    return replace(probe, pairs=made)


def _bad_bytes(chance: random.Random, probe: Probe) -> Probe:
    """Overlong UTF-8, halves of it, U+0000, a byte order mark: behind the value, or in the place of its quotes."""
    bad = chance.choice(
        (
            b"%c0%a2",
            b"%e0%80%a2",
            b"%ff",
            b"%00",
            b"%ef%bb%bf",
            b"%ed%a0%80",
            b"%f4%90%80%80",
            b"%0d%0aX-Vigia-Customer:%20cliente-b",
        )
    )
    query = urllib.parse.urlencode(probe.pairs).encode()
    query = query.replace(b"%22", bad, 1) if b"%22" in query and chance.random() < 0.5 else query + bad
    return replace(probe, raw_query=query) if probe.method != "POST" else replace(probe, raw_body=query)


def _other_names(chance: random.Random, probe: Probe) -> Probe:
    """Names that somebody else's reader takes for the same."""
    change = chance.choice(
        (
            str.upper,
            str.title,
            lambda name: name + "[]",
            lambda name: name.rstrip("[]"),
            lambda name: " " + name,
            lambda name: name + "\0",
            lambda name: name + ".",
        )
    )
    return replace(probe, pairs=[*probe.pairs, *((change(key), "guess_b_total") for key, _ in probe.pairs[:1])])


def _foreign_parameters(chance: random.Random, probe: Probe) -> Probe:
    return replace(probe, pairs=probe.pairs + chance.sample(_FOREIGN, 3))


def _lying_headers(chance: random.Random, probe: Probe) -> Probe:
    lie = chance.choice(_LIES).encode()
    path = b"/api/v1/admin/tsdb/snapshot"
    choices: list[list[tuple[bytes, bytes]]] = [
        [(b"X-Vigia-Customer", lie)],
        [(b"x-vigia-customer", lie), (b"X-VIGIA-CUSTOMER", b"cliente-c")],
        [(b"X-Vigia-Customer", lie), (b"Connection", b"X-Vigia-Customer")],
        [(b"X-Scope-OrgID", lie), (b"THANOS-TENANT", lie)],
        [
            (b"Forwarded", b"for=127.0.0.1;host=" + lie),
            (b"X-Forwarded-For", b"127.0.0.1"),
            (b"X-Real-IP", b"127.0.0.1"),
        ],
        [
            (b"X-Forwarded-Host", lie),
            (b"X-Forwarded-User", b"op"),
            (b"X-Remote-User", b"op"),
            (b"X-WEBAUTH-USER", b"op"),
        ],
        [(b"X-Original-URL", path), (b"X-Rewrite-URL", path), (b"X-Forwarded-Prefix", b"/cliente-b")],
        [(b"X-HTTP-Method-Override", b"DELETE"), (b"X-Method-Override", b"PUT")],
        [(b"Cookie", b"vigia=op; customer=" + lie), (b"Proxy-Authorization", b"Bearer op")],
        [(b"Host", lie or b"x"), (b"Origin", b"https://" + lie), (b"Referer", b"https://x/" + lie)],
        [(b"Host", b"router.")],
        [(b"Accept-Encoding", b"gzip, zstd, br"), (b"Accept", b"application/x-protobuf")],
        [(b"Range", b"bytes=0-100000"), (b"If-None-Match", b"*")],
        [(b"Expect", b"x"), (b"Upgrade", b"h2c"), (b"Connection", b"Upgrade, HTTP2-Settings")],
        [(b"X-Loki-Response-Encoding-Flags", b"categorize-labels," + lie), (b"X-Query-Tags", lie)],
        [(b"Authorization2", b"Bearer op"), (b"X-Authorization", b"Bearer op"), (b"X-Api-Key", b"op")],
    ]
    return replace(probe, headers=chance.choice(choices))


def _authorizations(chance: random.Random, probe: Probe) -> Probe:
    """None of these is anybody's token but the caller's own, which TOKEN stands for."""
    basic = b"Basic " + base64.b64encode(b"op:TOKEN")
    choices: list[list[bytes]] = [
        [b"Bearer TOKEN", b"Bearer read-b"],
        [b"Bearer TOKEN, Bearer read-b"],
        [b"Bearer TOKEN\t"],
        [b"bEaReR TOKEN"],
        [b"Bearer TOKEN;customer=cliente-b"],
        [b"Bearer TOKEN read-b"],
        [b"Token read-b"],
        [basic],
        [b"Basic " + base64.b64encode(b"read-b:")],
        [b"Bearer READ-B"],
        [b""],
        [b"Bearer \xc3\xa9"],
    ]
    return replace(probe, headers=[(b"Authorization", value) for value in chance.choice(choices)])


def _methods(chance: random.Random, probe: Probe) -> Probe:
    method = chance.choice(
        ("HEAD", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "PROPFIND", "get", "Post", "QUERY")
    )
    return replace(probe, method=method, raw_query=urllib.parse.urlencode(probe.pairs).encode())


def _over_h2(chance: random.Random, probe: Probe) -> Probe:
    return replace(probe, is_h2=True)


def _h2_pseudo(chance: random.Random, probe: Probe) -> Probe:
    method = probe.method.encode()
    usual = [(b":method", method), (b":scheme", b"http"), (b":authority", b"router"), (b":path", b"TARGET")]
    choices = [
        [*usual, (b":path", b"/api/v1/query?query=guess_b_total")],
        [*usual[:3], (b":path", b"api/v1/query?query=guess_b_total")],
        [*usual, (b":method", b"DELETE")],
        [*usual[:2], (b":authority", b"cliente-b"), (b":path", b"TARGET"), (b"host", b"cliente-c")],
        [*usual, (b":status", b"200")],
        [*usual, (b":customer", b"cliente-b")],
        [*usual, (b"X-Vigia-Customer", b"cliente-b")],
        [(b"x-vigia-customer", b"cliente-b"), *usual],
        [*usual, (b"connection", b"x-vigia-customer"), (b"transfer-encoding", b"chunked")],
        [*usual, (b"x-vigia-customer", b"cliente-b\r\nx: y")],
        [*usual, (b"te", b"gzip"), (b"cookie", b"a=b"), (b"cookie", b"customer=cliente-b")],
        usual[:3],
    ]
    return replace(probe, is_h2=True, pseudo=chance.choice(choices))


def _smuggled(chance: random.Random, probe: Probe) -> Probe:
    """Two lengths of a body, of which one hides a second request."""
    hidden = b"GET /api/v1/query?query=guess_b_total HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer TOKEN\r\n\r\n"
    body = b"0\r\n\r\n" + hidden
    choices = [
        [(b"Transfer-Encoding", b"chunked"), (b"Content-Length", b"%d" % len(body))],
        [(b"Transfer-Encoding", b"chunked, identity")],
        [(b"Transfer-Encoding", b"xchunked")],
        [(b"Content-Length", b"%d" % len(body)), (b"Content-Length", b"0"), (b"Transfer-Encoding", b" chunked")],
    ]
    return replace(probe, method="POST", raw_body=body, headers=[_FORM, *chance.choice(choices)])


TRICKS: dict[str, Trick] = {
    "every byte escaped": _every_byte,
    "a value twice": _twice,
    "URL and form": _split,
    "body of a GET": _body_of_get,
    "another body": _other_body,
    "another path": _other_path,
    "look-alikes": _look_alikes,
    "bad bytes": _bad_bytes,
    "other names": _other_names,
    "foreign parameters": _foreign_parameters,
    "lying headers": _lying_headers,
    "authorizations": _authorizations,
    "methods": _methods,
    "HTTP/2": _over_h2,
    "pseudo-headers": _h2_pseudo,
    "smuggled": _smuggled,
}


class Probes:
    """`routes`: (method, path) of every operation that is served. `tricks`, `asked` say what was made so far."""

    def __init__(self, seed: int, routes: list[tuple[str, str]], now_ms: int) -> None:
        self._chance = random.Random(seed)
        self._routes = routes
        self._now_s, self._old_s = now_ms // 1000, (now_ms - OLD_MS) // 1000
        self.promql = PromqlWords(self._chance, self._old_s, self._now_s)
        self.logql = LogqlWords(self._chance)
        self.tricks: set[str] = set()
        self.asked: set[tuple[str, str]] = set()

    def __iter__(self) -> Iterator[Probe]:
        """First one of each kind of node, of each route and of each trick; then whatever chance gives, without an end."""
        for language, words in (("/api/v1/query", self.promql), ("/loki/api/v1/query", self.logql)):
            queries = [one for one in self._routes if one[1] in (language, f"{language}_range")]
            for expression in words.each() if queries else ():
                yield self._made(self._chance.choice(queries), expression)
        for route in self._routes:
            yield self._made(route)
        for name in TRICKS:
            yield self._tricked(name, self._made(self._chance.choice(self._routes)))
        while True:
            probe = self._made(self._chance.choice(self._routes))
            while self._chance.random() < 0.4:
                probe = self._tricked(self._chance.choice(list(TRICKS)), probe)
            yield probe

    def _tricked(self, name: str, probe: Probe) -> Probe:
        self.tricks.add(name)
        trick = name if probe.trick == "plain" else f"{probe.trick}, {name}"
        return replace(TRICKS[name](self._chance, probe), trick=trick)

    def _made(self, route: tuple[str, str], expression: str = "") -> Probe:
        method, path = route
        self.asked.add(route)
        if path == "/api/v1/read":
            headers = [(b"Content-Type", b"application/x-protobuf"), (b"Content-Encoding", b"snappy")]
            return Probe(path, method, path, [], headers=headers, raw_query=b"", raw_body=self._read_body())
        return Probe(path, method, self._path_of(path), self._pairs_of(path, expression))

    def _pick(self, *choices: str) -> str:
        return self._chance.choice(choices)

    def _path_of(self, route: str) -> str:
        if "detected_field/" in route:
            route = route.replace("{name}", self._pick("way", "http_route", "attempt", "trace_id"))
        path = route.replace("{name}", self._pick("customer_id", "job", "node_id", "__name__", "service_name", "level"))
        path = path.replace("{service}", self._pick("shop", "guess-b", "guess-a", "nobody"))
        return path.replace(
            "{id}", self._pick(*(trace_of(customer) for customer in CUSTOMERS), "12" * 16, "f" * 32, "B" * 32)
        )

    def _read_body(self) -> bytes:
        """Remote read: some queries, each with a matcher or two."""
        body = b""
        for _ in range(self._chance.randrange(1, 4)):
            query = b"\x08" + varint((self._old_s - 60) * 1000) + b"\x10" + varint((self._now_s + 60) * 1000)
            for _ in range(self._chance.randrange(1, 3)):
                name = self._pick("customer_id", "__name__", "job", "node_id")
                kind = self._chance.randrange(4)
                value = self._pick(*REGEXES) if kind > 1 else self._pick("cliente-b", "shared", "guess_b_total", "x")
                query += sized(3, b"\x08" + varint(kind) + sized(2, name.encode()) + sized(3, value.encode()))
            body += sized(1, query)
        message = bytearray(body + self._chance.choice((b"", b"\x10\x00", b"\x10\x01")))
        if self._chance.random() < 0.3:  # lengths, numbers and kinds of fields that lie
            message[self._chance.randrange(len(message))] = self._chance.randrange(256)
        return snappy(bytes(message))

    def _pairs_of(self, route: str, expression: str) -> Pairs:
        if route.startswith("/loki/"):
            return self._log_pairs(route, expression)
        if route.startswith("/jaeger/"):
            return self._trace_pairs(route)
        if "query" in route:
            return [("query", expression or self.promql.any()), *self._metric_times(route)]
        matches = [
            ("match[]", self.promql.selector("None").split(" offset")[0]) for _ in range(self._chance.randrange(3))
        ]
        if route in ("/federate", "/api/v1/series") and not matches:
            matches = [("match[]", '{__name__=~".+"}')]
        return [*matches, *self._list_pairs(route)]

    def _metric_times(self, route: str) -> Pairs:
        at = self._chance.choice((self._now_s, self._old_s + 1800))
        if route == "/api/v1/query":
            return [("time", str(at))]
        if route == "/api/v1/query_range":
            return [("start", str(at - 600)), ("end", str(at)), ("step", self._pick("60", "300", "15"))]
        if route == "/api/v1/query_exemplars":
            return [("start", str(self._old_s - 3600)), ("end", str(self._now_s + 60))]
        return []

    def _list_pairs(self, route: str) -> Pairs:
        if route == "/api/v1/metadata":
            return [("metric", self._pick("shared", "guess_b_total", ""))] if self._chance.random() < 0.5 else []
        if route == "/api/v1/rules":
            return self._chance.choice(([], [("type", "alert")], [("rule_group[]", "x")], [("exclude_alerts", "true")]))
        if route in ("/api/v1/labels", "/api/v1/series", "/api/v1/label/{name}/values"):
            return self._chance.choice(
                ([], [("start", str(self._old_s - 60)), ("end", str(self._now_s))], [("limit", "3")])
            )
        return []

    def _trace_pairs(self, route: str) -> Pairs:
        times = [("start", str((self._now_s - 3600) * 1_000_000)), ("end", str((self._now_s + 60) * 1_000_000))]
        service = self._pick("shop", "guess-a", "guess-b", "guess-c", "nobody")
        if route == "/jaeger/api/operations":
            return [("service", service)]
        if route == "/jaeger/api/dependencies":
            return [("endTs", str((self._now_s + 60) * 1000)), ("lookback", "3600000")]
        if route != "/jaeger/api/traces":
            return []
        if self._chance.random() < 0.3:
            return [("traceID", trace_of(customer)) for customer in CUSTOMERS] + [("traceID", "12" * 16)]
        filters = self._chance.choice(
            (
                [],
                [("operation", "GET /")],
                [("tags", '{"http.method":"GET"}')],
                [("minDuration", "1ms")],
                [("tag", "customer.id:cliente-b")],
            )
        )
        return [("service", service), *times, *filters]

    def _log_pairs(self, route: str, expression: str) -> Pairs:
        start, end = str((self._now_s - 3600) * 10**9), str((self._now_s + 60) * 10**9)
        if route.endswith("/query_range"):
            pairs = [("query", expression or self.logql.any()), ("start", start), ("end", end), ("step", "300")]
            return [*pairs, ("limit", "5000"), *self._chance.choice(([], [("direction", "forward")], [("cursor", "")]))]
        if route.endswith("/query"):
            return [("query", expression or self.logql.any()), ("time", end)]
        if route.endswith("/series"):
            return [("match[]", self.logql.stream()), ("start", start), ("end", end)]
        if "status" in route:
            return []
        if "format" in route:
            return [("query", expression or self.logql.any())]
        if "detected_field" in route:
            return [("query", self.logql.lines()), ("start", start), ("end", end)]
        if "volume" in route:
            pairs = [("query", self.logql.stream()), ("start", start), ("end", end)]
            return [*pairs, ("targetLabels", "node_id,service_name"), ("step", "300")]
        regex = self._pick(*REGEXES)
        query = self._pick(self.logql.stream(), f'{{customer_id=~"{regex}"}}', "")
        return [("query", query), ("start", start), ("end", end)]
