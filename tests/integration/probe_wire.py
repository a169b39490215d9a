"""Sends a request's bytes as they are, over HTTP/1.1 or HTTP/2, whatever a decent client would refuse to send, and gives back all
that came: status, headers and body, none of it interpreted."""

from __future__ import annotations

import contextlib
import gzip
import http.client
import socket
from dataclasses import dataclass, field

import h2.config
import h2.connection
import h2.events
import h2.exceptions
from remote_write import unpack

_TIMEOUT_S = 30


@dataclass
class Wired:
    """A request. `target` and headers go out as they stand; over HTTP/2 the first four headers are the pseudo ones."""

    method: bytes
    target: bytes
    headers: list[tuple[bytes, bytes]]
    body: bytes = b""
    is_h2: bool = False
    pseudo: list[tuple[bytes, bytes]] = field(default_factory=list)  # in the place of the usual four


@dataclass
class Shown:
    """Everything of an answer. `status` 0: the connection ended, or the stream was reset."""

    status: int
    head: bytes
    body: bytes

    def all(self) -> bytes:
        """As a reader sees it, and as it came."""
        with contextlib.suppress(OSError, EOFError, IndexError, AssertionError):
            if b"gzip" in self.head:
                return self.head + self.body + gzip.decompress(self.body)
            if b"snappy" in self.head:
                return self.head + self.body + unpack(self.body)
        return self.head + self.body


class Wire:
    """Connections to one address, kept while they live. One thread."""

    def __init__(self, host: str, port: int) -> None:
        self._address = (host, port)
        self._socket: socket.socket | None = None
        self._h2: _H2 | None = None

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
        if self._h2 is not None:
            self._h2.close()

    def send(self, request: Wired) -> Shown:
        return self._send_h2(request) if request.is_h2 else self._send_h1(request)

    def _send_h1(self, request: Wired) -> Shown:
        kept = self._socket
        shown = self._try_h1(request)
        if shown.status == 0 and kept is not None and self._socket is None:
            shown = self._try_h1(request)  # it was closed while it was idle
        return shown

    def _try_h1(self, request: Wired) -> Shown:
        if self._socket is None:
            self._socket = socket.create_connection(self._address, timeout=_TIMEOUT_S)
        lines = [request.method + b" " + request.target + b" HTTP/1.1"]
        lines += [name + b": " + value for name, value in request.headers]
        named = {name.lower() for name, _ in request.headers}
        if b"host" not in named:
            lines.append(b"Host: router")
        if request.body and not named & {b"content-length", b"transfer-encoding"}:
            lines.append(b"Content-Length: %d" % len(request.body))
        try:
            self._socket.sendall(b"\r\n".join(lines) + b"\r\n\r\n" + request.body)
            answer = http.client.HTTPResponse(self._socket, method=request.method.decode("latin-1"))
            answer.begin()
            body = answer.read()
        except (OSError, http.client.HTTPException):
            self._socket.close()
            self._socket = None
            return Shown(0, b"", b"")
        head = b"".join(f"{name}: {value}\n".encode("latin-1") for name, value in answer.getheaders())
        # What may have been read as two requests, or half a one, is followed by nothing.
        if answer.will_close or request.method not in (b"GET", b"POST", b"HEAD") or b"transfer-encoding" in named:
            self._socket.close()
            self._socket = None
        return Shown(answer.status, head, body)

    def _send_h2(self, request: Wired) -> Shown:
        if self._h2 is None or self._h2.is_over:
            self._h2 = _H2(self._address)
        return self._h2.ask(request)


class _H2:
    """One connection, by prior knowledge."""

    def __init__(self, address: tuple[str, int]) -> None:
        self._socket = socket.create_connection(address, timeout=_TIMEOUT_S)
        # Nothing that is sent is checked: it is what is to be tried.
        config = h2.config.H2Configuration(
            client_side=True,
            header_encoding=None,
            validate_outbound_headers=False,
            normalize_outbound_headers=False,
        )
        self._connection = h2.connection.H2Connection(config)
        self._connection.initiate_connection()
        self.is_over = False
        self._flush()

    def close(self) -> None:
        self._socket.close()

    def _flush(self) -> None:
        self._socket.sendall(self._connection.data_to_send())

    def ask(self, request: Wired) -> Shown:
        pseudo = request.pseudo or [
            (b":method", request.method),
            (b":scheme", b"http"),
            (b":authority", b"router"),
            (b":path", request.target),
        ]
        shown = Shown(0, b"", b"")
        try:
            stream = self._connection.get_next_available_stream_id()
            headers = [*pseudo, *((name.lower(), value) for name, value in request.headers)]
            self._connection.send_headers(stream, headers, end_stream=not request.body)
            if request.body:
                self._connection.send_data(stream, request.body, end_stream=True)
            self._flush()
            while not self._take(stream, shown):
                pass
        except (OSError, h2.exceptions.H2Error):
            self.is_over = True
        if self.is_over:
            self.close()
        return shown

    def _take(self, stream: int, shown: Shown) -> bool:
        """True where the stream has ended."""
        received = self._socket.recv(65536)
        if not received:
            self.is_over = True
            return True
        has_ended = False
        for event in self._connection.receive_data(received):
            if isinstance(event, h2.events.ConnectionTerminated):
                self.is_over = has_ended = True
            if getattr(event, "stream_id", None) != stream:
                continue
            if isinstance(event, h2.events.ResponseReceived):
                shown.head += b"".join(bytes(name) + b": " + bytes(value) + b"\n" for name, value in event.headers)
                shown.status = int(dict(event.headers)[b":status"])
            elif isinstance(event, h2.events.TrailersReceived):
                shown.head += b"".join(bytes(name) + b": " + bytes(value) + b"\n" for name, value in event.headers)
            elif isinstance(event, h2.events.DataReceived):
                shown.body += event.data
                self._connection.acknowledge_received_data(event.flow_controlled_length, stream)
            elif isinstance(event, h2.events.StreamEnded | h2.events.StreamReset):
                has_ended = True
        self._flush()
        return has_ended
