"""What lies aside of an exporter that is renamed is told of, and sent when it has its name again."""

from __future__ import annotations

from pathlib import Path

from collector_lanes import LOGS, OTLP, Lanes
from stack import wait_for


def test_what_lies_aside_of_a_renamed_exporter_is_told_and_sent_later(tmp_path: Path) -> None:
    lanes = Lanes(tmp_path)
    destination = lanes.serve()
    lanes.configure(cold=lanes.destination_url, hot=lanes.destination_url)
    destination.script = lambda customer, path, body: 500 if customer == "cliente-a" and body else 200

    def restart(old: str, new: str) -> str:
        """Started anew under another name; what the collector has said since."""
        lanes.running.pop("collector").end(15)
        log = tmp_path / "collector.log"
        before = len(log.read_text())
        config = tmp_path / "collector.yaml"
        config.write_text(config.read_text().replace(old, new))
        lanes.start("collector")
        return log.read_text()[before:]

    def aside(exporter: str) -> float:
        return sum(
            value
            for name, labels, value in lanes.metrics()
            if name == "vigia_exporter_side_items" and labels["exporter"] == exporter
        )

    try:
        lanes.start("collector")
        lanes.send_items(LOGS, "cliente-a", [f"a{i}" for i in range(5)])
        wait_for("all are aside", lambda: aside(OTLP) == 5, 20)
        # The log still has them and gives them to the new name too.
        destination.script = lambda customer, path, body: 200
        said = restart(OTLP, "otlphttp/archive")
        assert "nobody sends it" in said
        assert "exporter=otlphttp/cold customers=1 items=5" in said, said
        assert aside(OTLP) == 5
        assert any(
            name == "vigia_exporter_oldest_waiting_seconds" and labels["exporter"] == OTLP and value > 0
            for name, labels, value in lanes.metrics()
        )
        wait_for("the new name's arrive", lambda: b"a0" in destination.arrived("cliente-a"), 20)
        times = destination.arrived("cliente-a").count(b"a0")
        said = restart("otlphttp/archive", OTLP)
        assert "nobody sends it" not in said
        wait_for("nothing is aside", lambda: aside(OTLP) == 0, 20)
        assert destination.arrived("cliente-a").count(b"a0") == times + 1
    finally:
        lanes.end()
