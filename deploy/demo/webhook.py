"""Receives Alertmanager's webhook and prints one line an alert of what a customer's own webhook would get.

GET / gives what has arrived (newest last, at most 200) as JSON, so that a person or a test can look.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import deque
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

BODY_BYTES_MAX = 1 << 20
_received: deque[dict[str, Any]] = deque(maxlen=200)


def line_of(alert: dict[str, Any], now: datetime) -> str:
    """Begins with the time as the programs' own logs do, so that `./vigia logs` can sort it among them; English as they."""
    labels, said = alert["labels"], alert["annotations"]
    what = said.get("summary_en") or said.get("summary", "")
    if alert["status"] == "resolved":
        what = said.get("resolved_en") or what
    time = now.strftime("%Y-%m-%dT%H:%M:%S.") + f"{now.microsecond // 1000:03d}Z"
    return (
        f"ts={time} {alert['status']:8} {labels.get('severity', ''):8} {labels.get('alertname', '')} "
        f"{labels.get('customer_id', '')}/{labels.get('node_id', '')}: "
        f"{what}"
    )


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self) -> None:  # noqa: N802 (the base class names it so)
        length = int(self.headers.get("Content-Length") or 0)
        if length > BODY_BYTES_MAX:
            self.send_error(413)
            return
        try:
            message = json.loads(self.rfile.read(length))
            alerts = message["alerts"]
        except (ValueError, KeyError, TypeError):
            self.send_error(400)
            return
        for alert in alerts:
            _received.append(
                {"status": alert["status"], "labels": alert["labels"], "annotations": alert["annotations"]}
            )
            # One write a line: several requests are answered at once.
            sys.stdout.write(line_of(alert, datetime.now(UTC)) + "\n")
            sys.stdout.flush()
        self._answer({"accepted": len(alerts)})

    def do_GET(self) -> None:  # noqa: N802
        self._answer({"status": "ok"} if self.path == "/health" else {"alerts": list(_received)})

    def _answer(self, content: object) -> None:
        body = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class names it so)
        """Quiet: the alerts are the log."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--listen", default="127.0.0.1:8089", help="host:port (default %(default)s)")
    host, _, port = parser.parse_args().listen.rpartition(":")
    ThreadingHTTPServer((host, int(port)), Receiver).serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main())
