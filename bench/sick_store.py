"""A proxy before a store that is sick for one customer: bench/neighbour.py puts it between the collector and hot or storage.

    python3 bench/sick_store.py --listen 127.1.2.3:9090 --to 127.0.0.1:9090 --customer cliente-a --answer 500|hang [--content WORD]

With --content only what holds the word, packed by gzip or not, meets that answer. Everything else is passed on.
"""

from __future__ import annotations

import argparse
import gzip
import http.client
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HANG_SECONDS = 600
HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "host"}


def handler(options: argparse.Namespace) -> type[BaseHTTPRequestHandler]:
    own = threading.local()  # a connection to the store for each of the collector's

    class Proxy(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if self.is_sick(body):
                if options.answer == "hang":
                    threading.Event().wait(HANG_SECONDS)
                    self.close_connection = True
                else:
                    self.answer(int(options.answer), {}, b"sick for this customer")
                return
            self.pass_on(body)

        do_POST = do_GET  # noqa: N815  # the base class's name for it

        def is_sick(self, body: bytes) -> bool:
            if self.headers.get("X-Vigia-Customer") != options.customer:
                return False
            if not options.content:
                return True
            plain = gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body
            return options.content.encode() in plain

        def pass_on(self, body: bytes) -> None:
            if not hasattr(own, "store"):
                own.store = http.client.HTTPConnection(options.to, timeout=60)
            kept = {name: value for name, value in self.headers.items() if name.lower() not in HOP_BY_HOP}
            try:
                own.store.request(self.command, self.path, body, kept)
                got = own.store.getresponse()
                content = got.read()
            except (OSError, http.client.HTTPException):
                own.store.close()
                self.close_connection = True
                return
            self.answer(got.status, dict(got.getheaders()), content)

        def answer(self, status: int, headers: dict[str, str], content: bytes) -> None:
            self.send_response(status)
            for name, value in headers.items():
                if name.lower() not in HOP_BY_HOP | {"date", "server"}:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    return Proxy


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("listen", "to", "customer", "answer"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--content", default="")
    options = parser.parse_args()
    host, _, port = options.listen.partition(":")
    server = ThreadingHTTPServer((host, int(port)), handler(options))
    server.daemon_threads = True
    server.serve_forever()


if __name__ == "__main__":
    main()
