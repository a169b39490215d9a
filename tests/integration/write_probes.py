"""What a customer's ingest token writes to reach another customer's data (I1): OTLP of each signal, over HTTP and gRPC, in which another
is named wherever and however a reader might take it for the customer. Made from a seed.

Each probe holds a word of its own at every place that is kept, so that it is found wherever it comes out.
"""

from __future__ import annotations

import gzip
import random
import struct
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from probe_wire import Wired
from remote_write import sized, snappy
from write_items import CLAIMS, FOREIGN, SCOPES, claims_of, json_body, pair, text

WORD = "zqw"  # with which every probe's word begins
SIGNALS = ("metrics", "traces", "logs")
_METHODS = {
    "metrics": b"/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
    "traces": b"/opentelemetry.proto.collector.trace.v1.TraceService/Export",
    "logs": b"/opentelemetry.proto.collector.logs.v1.LogsService/Export",
}
Headers = list[tuple[bytes, bytes]]


@dataclass(frozen=True)
class WriteProbe:
    """One request. `token` is in TOKENS; all others' data must be kept out by it or by what it says."""

    word: str
    signal: str
    claim: str
    token: str
    body: bytes
    path: bytes
    trick: str = "plain"
    headers: Headers = field(default_factory=list)
    is_grpc: bool = False
    is_h2: bool = False

    def wired(self) -> Wired:
        headers = list(self.headers)
        if self.token and not any(name.lower() == b"authorization" for name, _ in headers):
            headers.append((b"Authorization", b"Bearer " + self.token.encode()))
        if self.is_grpc:
            body = b"\0" + struct.pack(">I", len(self.body)) + self.body
            head = [(b"content-type", b"application/grpc"), (b"te", b"trailers"), *headers]
            return Wired(b"POST", self.path, head, body, is_h2=True)
        if not any(name.lower() == b"content-type" for name, _ in headers):
            headers.append((b"Content-Type", b"application/x-protobuf"))
        return Wired(b"POST", self.path, headers, self.body, self.is_h2)

    def shown(self) -> str:
        way = "gRPC" if self.is_grpc else "HTTP/2" if self.is_h2 else "HTTP/1.1"
        return (
            f"{self.word}: {self.signal} {self.claim}, {self.trick}, {way}, {self.token}: {self.path!r} {self.headers}"
        )


Trick = Callable[[random.Random, WriteProbe], WriteProbe]


def _zstd(content: bytes) -> bytes:
    """A frame of blocks that are not packed."""
    pieces = [content[at : at + 65536] for at in range(0, len(content), 65536)] or [b""]
    frame = b"\x28\xb5\x2f\xfd\xa0" + struct.pack("<I", len(content))
    for number, piece in enumerate(pieces):
        frame += struct.pack("<I", len(piece) << 3 | (number == len(pieces) - 1))[:3] + piece
    return frame


def _packed(chance: random.Random, probe: WriteProbe) -> WriteProbe:
    packers: tuple[tuple[bytes, Callable[[bytes], bytes]], ...] = (
        (b"gzip", gzip.compress),
        (b"x-gzip", gzip.compress),
        (b"deflate", zlib.compress),
        (b"zstd", _zstd),
        (b"snappy", snappy),
        (b"gzip, gzip", lambda body: gzip.compress(gzip.compress(body))),
        (b"gzip", lambda body: body),  # it is not
        (b"identity", gzip.compress),
        # Two members, of which a reader may stop behind the first.
        (b"gzip", lambda body: gzip.compress(b"") + gzip.compress(body)),
        (b"gzip", lambda body: gzip.compress(body[: len(body) // 2]) + gzip.compress(body[len(body) // 2 :])),
        (b"zstd", lambda body: _zstd(body[:9]) + _zstd(body[9:])),
    )
    coding, pack = chance.choice(packers)
    return replace(probe, body=pack(probe.body), headers=[*probe.headers, (b"Content-Encoding", coding)])


def _lying_headers(chance: random.Random, probe: WriteProbe) -> WriteProbe:
    choices: tuple[Headers, ...] = (
        [(b"X-Vigia-Customer", b"cliente-b")],
        [(b"X-Vigia-Customer", b"cliente-b"), (b"Connection", b"X-Vigia-Customer")],
        [(b"X-Scope-OrgID", b"cliente-b"), (b"THANOS-TENANT", b"cliente-b"), (b"AccountID", b"2")],
        [(b"X-Forwarded-User", b"op"), (b"X-Remote-User", b"op"), (b"X-WEBAUTH-USER", b"op")],
        [(b"Cookie", b"token=ingest-b; customer=cliente-b"), (b"Proxy-Authorization", b"Bearer ingest-b")],
        [
            (b"X-HTTP-Method-Override", b"PUT"),
            (b"X-Original-URL", b"/api/v1/write"),
            (b"X-Rewrite-URL", b"/api/v1/write"),
        ],
        [(b"Host", b"cliente-b"), (b"Origin", b"https://cliente-b"), (b"Forwarded", b"for=127.0.0.1;host=cliente-b")],
        [(b"baggage", b"customer.id=cliente-b"), (b"tracestate", b"customer_id=cliente-b")],
        [(b"X-Prometheus-Remote-Write-Version", b"0.1.0"), (b"customer.id", b"cliente-b")],
    )
    return replace(probe, headers=[*probe.headers, *chance.choice(choices)])


def _authorizations(chance: random.Random, probe: WriteProbe) -> WriteProbe:
    """None of these is a token of another's; two at once are nobody's."""
    choices: tuple[list[bytes], ...] = (
        [b"Bearer ingest-a", b"Bearer ingest-a"],
        [b"bEaReR ingest-a"],
        [b"Bearer ingest-a,cliente-b"],
        [b"Bearer ingest-a;customer=cliente-b"],
        [b"Bearer INGEST-B"],
        [b"Bearer ingest-b\0"],
        [b"Basic Y2xpZW50ZS1iOmluZ2VzdC1h"],
        [b""],
    )
    return replace(probe, headers=[*probe.headers, *((b"Authorization", value) for value in chance.choice(choices))])


def _other_path(chance: random.Random, probe: WriteProbe) -> WriteProbe:
    path = probe.path
    choices = (
        path + b"?customer_id=cliente-b&customer=cliente-b&extra_label=customer_id=cliente-b",
        path + b"?token=ingest-b",
        b"/cliente-b" + path,
        b"//" + path[1:],
        path + b"/",
        path + b";customer_id=cliente-b",
        path.replace(b"/v1/", b"/v1/../v1/"),
        path.replace(b"/v1/", b"/v1/%2e%2e/v1/"),
        path.upper(),
        path + b"%00",
        b"http://cliente-b" + path,
    )
    return replace(probe, path=chance.choice(choices))


def _over_h2(chance: random.Random, probe: WriteProbe) -> WriteProbe:
    return replace(probe, is_h2=True)


def _cut(chance: random.Random, probe: WriteProbe) -> WriteProbe:
    """Half a request, or one behind which another stands: protobuf takes two of one type for one."""
    foreign = sized(1, sized(1, FOREIGN))
    half = probe.body[: chance.randrange(len(probe.body))] if probe.body else b""
    return replace(probe, body=chance.choice((half, probe.body + foreign, foreign + probe.body, probe.body + b"\xff")))


def _damaged(chance: random.Random, probe: WriteProbe) -> WriteProbe:
    """Lengths, numbers and kinds of fields that lie: of what is good but for these, one reader may make other things than the next."""
    body = bytearray(probe.body)
    for _ in range(chance.randrange(1, 4) if body else 0):
        body[chance.randrange(len(body))] = chance.randrange(256)
    return replace(probe, body=bytes(body))


def _other_type(chance: random.Random, probe: WriteProbe) -> WriteProbe:
    kind = chance.choice(
        (b"application/json", b"text/plain", b"application/x-protobuf; proto=io.prometheus.write.v2.Request")
    )
    return replace(probe, headers=[*probe.headers, (b"Content-Type", kind)])


def _chunked(chance: random.Random, probe: WriteProbe) -> WriteProbe:
    """In pieces, or with a length too, which hides a second request."""
    at = chance.randrange(len(probe.body) + 1)
    pieces = [one for one in (probe.body[:at], probe.body[at:]) if one]
    body = b"".join(b"%x\r\n" % len(one) + one + b"\r\n" for one in pieces) + b"0\r\n\r\n"
    headers: Headers = [(b"Transfer-Encoding", b"chunked")]
    if chance.random() < 0.3:
        headers.append((b"Content-Length", b"%d" % len(body)))
    return replace(probe, body=body, headers=[*probe.headers, *headers], is_h2=False)


# Of HTTP; over gRPC headers alone.
TRICKS: dict[str, Trick] = {
    "packed": _packed,
    "lying headers": _lying_headers,
    "authorizations": _authorizations,
    "another path": _other_path,
    "HTTP/2": _over_h2,
    "cut": _cut,
    "damaged": _damaged,
    "another type": _other_type,
    "chunked": _chunked,
}
GRPC_TRICKS = ("lying headers", "authorizations", "cut", "damaged")
# What opens nothing here, or another door.
TOKENS = ("", "wrong", "ingest-expired", "read-a", "read-b", "op", "ingest-A", "ingest-")


class WriteProbes:
    """`made` says which claims, tricks and signals there were so far; `now_ms` is about when samples lie."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self._count = 0
        self.made: set[str] = set()

    def __iter__(self) -> Iterator[WriteProbe]:
        """Each claim of each signal by both ways, each trick of each signal, each token; then by chance, without an end."""
        for signal in SIGNALS:
            for claim in CLAIMS:
                yield self._made(signal, claim, is_grpc=False)
                yield self._made(signal, claim, is_grpc=True)
            for name in TRICKS:
                yield self._tricked(name, self._made(signal, self._chance.choice(CLAIMS), is_grpc=False))
            for _ in range(12):
                yield self._in_json(signal)
            for token in TOKENS:
                yield self._made(signal, "own", is_grpc=False, token=token)
                yield self._made(signal, "foreign", is_grpc=True, token=token)
        while True:
            signal = self._chance.choice(SIGNALS)
            if self._chance.random() < 0.1:
                yield self._in_json(signal)
                continue
            is_grpc = self._chance.random() < 0.3
            token = self._chance.choice(TOKENS) if self._chance.random() < 0.05 else "ingest-a"
            probe = self._made(signal, self._chance.choice(CLAIMS), is_grpc=is_grpc, token=token)
            while self._chance.random() < 0.4 and "chunked" not in probe.trick:
                probe = self._tricked(self._chance.choice(GRPC_TRICKS if is_grpc else list(TRICKS)), probe)
            yield probe

    def _word(self) -> str:
        self._count += 1
        return f"{WORD}{self._count:05d}x"

    def _made(self, signal: str, claim: str, *, is_grpc: bool, token: str = "ingest-a") -> WriteProbe:
        word, chance = self._word(), self._chance
        self.made |= {signal, claim, token, "gRPC" if is_grpc else "HTTP"}
        base = pair("service.name", text(chance.choice(("shop", "guess-b", word)))) + pair(
            "node.id", text(f"{word}-node")
        )
        scope = SCOPES[signal](chance, word, time.time_ns()).SerializeToString()
        body = b"".join(group.message(scope) for group in claims_of(chance, base)[claim])
        path = _METHODS[signal] if is_grpc else b"/v1/" + signal.encode()
        return WriteProbe(word, signal, claim, token, body, path, is_grpc=is_grpc)

    def _in_json(self, signal: str) -> WriteProbe:
        word = self._word()
        self.made.add("JSON")
        body = json_body(self._chance, signal, word, time.time_ns())
        kind = [(b"Content-Type", b"application/json")]
        return WriteProbe(word, signal, "JSON", "ingest-a", body, b"/v1/" + signal.encode(), headers=kind)

    def _tricked(self, name: str, probe: WriteProbe) -> WriteProbe:
        self.made.add(name)
        trick = name if probe.trick == "plain" else f"{probe.trick}, {name}"
        return replace(TRICKS[name](self._chance, probe), trick=trick)
