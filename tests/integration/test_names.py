"""Names of metrics and labels are any text, as Prometheus 3 takes them: by remote write 1.0 and 2.0, and read back in all ways."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path
from typing import Any

import requests
from remote_read import SAMPLES, post_read, read_request, samples_of
from stack import binaries
from test_inspect import ask_promql
from test_write_orders import A, Door

NAMES = {1: "http.requests", 2: "Zahl der Äpfel"}  # by the version that brings it


def ask(door: Door, path: str, **parameters: str) -> Any:
    answer = requests.get(f"{door.url}/api/v1/{path}", params=parameters, headers=A, timeout=10)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


def are_there(door: Door, at_ms: int) -> None:
    for version, name in NAMES.items():
        read = post_read(door.url, read_request([(name, at_ms, at_ms)]), SAMPLES, A)
        labels = {"__name__": name, "customer_id": "cliente-a", "service.name": "x", 'a="b"': "c"}
        assert samples_of(read) == {tuple(sorted(labels.items())): {at_ms: float(version)}}
    assert ask(door, "labels") == ["__name__", 'a="b"', "customer_id", "service.name"]
    assert ask(door, "label/__name__/values") == sorted(NAMES.values())
    assert ask(door, "label/service.name/values") == ask(door, "label/U__service_2e_name/values") == ["x"]
    found = ask(door, "series", matcher="__name__=http.requests")
    assert [series["__name__"] for series in found] == ["http.requests"]


def test_names_are_any_text(tmp_path: Path) -> None:
    door = Door(tmp_path)
    door.start()
    try:
        at_ms = int(time.time()) * 1000
        for version, name in NAMES.items():
            labels = {"__name__": name, "customer_id": "cliente-a", "service.name": "x", 'a="b"': "c"}
            answer = door.send(version, sorted(labels.items()), [(at_ms, float(version))])
            assert answer.status_code == 204, answer.text
        are_there(door, at_ms)
        door.kill()
        door.start()
        are_there(door, at_ms)
        (one,) = ask_promql(door, tmp_path, '{"http.requests","a=\\"b\\""="c"}', at_ms)
        assert one["value"][1] == "1"
        (count,) = ask_promql(door, tmp_path, 'count by ("service.name") ({__name__=~".+"})', at_ms)
        assert count == {"metric": {"service.name": "x"}, "value": [at_ms / 1000, "2"]}
        assert door.stop() == 0
    finally:
        door.kill()
    words = ["inspect", str(door.folder), "--raw", "--series", '{"http.requests"}']
    command = [str(binaries() / "vigia-storage"), *words]
    lines = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout.splitlines()
    assert {json.loads(line)["labels"]["__name__"] for line in lines} == {"http.requests"}
