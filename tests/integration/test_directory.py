"""Customers and tokens outlive damage: of the monitor's database, of its journal, of what collector and router keep.

Expected of every flipped bit, page of zeros and cut, after kill -9: never another customer's data, never a customer
lost in silence, never a revoked token that is good again, and always a line that says what happened and what to do.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import sqlite3
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
import requests
from launcher import demo
from launcher.control import Control
from otlp import gauge, metrics_request, post, resource_of
from stack import Running, Stack, binaries, wait_for

A, B = "cliente-a", "cliente-b"
READY_SECONDS = 15


def _start(stack: Stack) -> None:
    stack.start("alertmanager", "monitor")
    demo.create(stack.layout, stack.agents, stack.secrets, stack.folder / "secrets.json")
    stack.start("collector", "router")
    wait_for("tokens are known", lambda: all(_send(stack, c, stack.token(c, "ingest")) == 200 for c in (A, B)))


def _send(stack: Stack, customer: str, token: str) -> int:
    """The status of one point of a customer, sent with somebody's token."""
    body = metrics_request(resource_of(customer), gauge("g", [(int(time.time() * 1000), 1.0)])).SerializeToString()
    return post(stack.layout.url("collector_http"), token, body).status_code


def _knows(stack: Stack, token: str) -> int:
    """The router's status for a token; what lies behind it does not run, so that 401 and 503 are all that differs."""
    return stack.ask("/api/v1/query", token, query="1").status_code


def _control(stack: Stack) -> Control:
    return Control(stack.layout.url("monitor"), "admin", stack.secrets["admin_password"])


def _snapshot(stack: Stack) -> dict[str, Any] | None:
    """What the monitor serves, without its own token and where it stands; nothing where it serves none."""
    try:
        answer = requests.get(
            stack.layout.url("monitor_internal") + "/snapshot",
            headers={"Authorization": f"Bearer {stack.secrets['internal_token']}"},
            timeout=5,
        )
    except requests.RequestException:
        return None
    if answer.status_code != 200:
        return None
    served = answer.json()
    return {"customers": served["customers"], "operators": served["operators"][1:]}


def _start_in_doubt_or_not(stack: Stack) -> str:
    """Starts the monitor over whatever lies there: "" when it is ready, what /ready says, or what it ended with."""
    running = Running(stack.command("monitor"), stack.folder / "log" / "monitor.log")
    stack.running["monitor"] = running

    def probe() -> str | None:
        if not running.is_running():
            return "ended: " + running.tail().strip().splitlines()[-1]
        answer = requests.get(stack.layout.url("monitor_internal") + "/ready", timeout=2)
        return "ready" if answer.status_code == 200 else answer.text

    said = wait_for("the monitor says how it is", probe, READY_SECONDS)
    return "" if said == "ready" else said


def _files(folder: Path) -> dict[str, bytes]:
    return {
        path.name: path.read_bytes() for path in folder.glob("monitor.db*") if path.is_file() and path.suffix != ".lock"
    }


def _put(folder: Path, files: dict[str, bytes], state: Path) -> None:
    for path in folder.glob("monitor.db*"):
        if path.is_file() and path.suffix != ".lock":
            path.unlink()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    shutil.rmtree(folder / "monitor.db.state")
    shutil.copytree(state, folder / "monitor.db.state")


def _damage(content: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(content))
    kind = chance.choice(["flip", "flip", "zeros", "cut"])
    damaged = bytearray(content)
    if kind == "flip":
        damaged[at] ^= 1 << chance.randrange(8)
    elif kind == "zeros":
        begin = at // 4096 * 4096
        damaged[begin : begin + 4096] = bytes(len(damaged[begin : begin + 4096]))
    else:
        del damaged[at:]
    return bytes(damaged)


def _work_held_in_the_journal(stack: Stack) -> dict[str, bytes]:
    """Creates a customer and a token and revokes another while a reader keeps SQLite from emptying its journal."""
    reader = sqlite3.connect(stack.layout.data / "monitor.db", isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM customers").fetchone()
    with _control(stack) as control:
        control.request("POST", "/customers", {"id": "cliente-c", "name": "Tercera"})
        made = control.request("POST", f"/customers/{A}/tokens", {"name": "old", "scope": "ingest"})
        stack.secrets["revoked"] = made["token"]
        control.request("DELETE", f"/customers/{A}/tokens/{made['id']}")
    stack.kill("monitor")
    files = _files(stack.layout.data)
    reader.close()
    assert len(files["monitor.db-wal"]) > 4096
    return files


@pytest.mark.parametrize("seed", [1])
def test_no_damage_of_the_database_loses_a_customer_f2(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    with Stack(tmp_path) as stack:
        _start(stack)
        files = _work_held_in_the_journal(stack)
        state = tmp_path / "state"
        shutil.copytree(stack.layout.data / "monitor.db.state", state)
        assert _start_in_doubt_or_not(stack) == ""
        good = _snapshot(stack)
        assert good is not None
        assert [customer["id"] for customer in good["customers"]] == [A, B, "cliente-c"]
        wait_for("the revocation is known", lambda: _send(stack, A, stack.secrets["revoked"]) == 401, 10)
        doubts = 0
        for turn in range(24):
            stack.kill("monitor")
            name = ["monitor.db-wal", "monitor.db"][turn % 2]
            _put(stack.layout.data, {**files, name: _damage(files[name], chance)}, state)
            said = _start_in_doubt_or_not(stack)
            assert not said.startswith("ended"), said
            assert _snapshot(stack) == good, f"turn {turn}, {name}: {said}"
            if said:
                doubts += 1
                assert "vigia-monitor restore" in said
            assert [_send(stack, c, stack.token(c, "ingest")) for c in (A, B)] == [200, 200]
            assert all(_knows(stack, stack.token(c, "read")) != 401 for c in (A, B))
            assert _send(stack, A, stack.secrets["revoked"]) == 401
        assert doubts > 5, "the damage was not where it matters"
        log = (tmp_path / "log" / "monitor.log").read_text()
        assert log.count("the database is in doubt") >= doubts


def _maintain(stack: Stack, *words: str) -> subprocess.CompletedProcess[str]:
    command = [str(binaries() / "vigia-monitor"), *words, "--config", str(stack.layout.config / "monitor.yaml")]
    environment = {**os.environ, **stack.command("monitor").env}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_a_copy_is_put_back_and_what_was_served_since_stays_f2(tmp_path: Path) -> None:
    with Stack(tmp_path) as stack:
        _start(stack)
        backups = stack.layout.data / "monitor.db.state" / "backups"
        wait_for("a first copy", lambda: list(backups.glob("monitor-*.db")), 20)
        running = _maintain(stack, "restore")
        assert running.returncode == 2, running.stdout
        assert "another vigia-monitor uses this database" in running.stderr
        with _control(stack) as control:
            made = control.request("POST", f"/customers/{B}/tokens", {"name": "new", "scope": "ingest"})
        wait_for("the new token is known", lambda: _send(stack, B, made["token"]) == 200)
        stack.kill("monitor")
        database = stack.layout.data / "monitor.db"
        database.write_bytes(database.read_bytes()[:9000])
        said = _start_in_doubt_or_not(stack)
        assert "vigia-monitor restore" in said
        stack.kill("monitor")
        done = _maintain(stack, "restore")
        assert done.returncode == 0, done.stderr
        assert "is in place" in done.stdout
        stack.start("monitor")
        after = _snapshot(stack)
        assert after is not None
        hashes = {token["token_sha256"] for customer in after["customers"] for token in customer["tokens"]}
        with _control(stack) as control:
            assert control.request("GET", "/audit/verification")["is_intact"]
            late = control.request("POST", f"/customers/{B}/tokens", {"name": "late", "scope": "ingest"})
        assert len(hashes) >= 5
        wait_for("changes go on at once", lambda: _send(stack, B, late["token"]) == 200, 10)
        assert _send(stack, B, made["token"]) == 200
        assert _send(stack, A, stack.token(A, "ingest")) == 200


def test_a_damaged_database_is_no_silence_of_the_nodes_that_are_asked_f2(tmp_path: Path) -> None:
    """The monitor asks them, and where they are stands in its database: the rules must know whose fault that is."""
    with Stack(tmp_path) as stack:
        _start(stack)
        place = next(agent for agent in stack.agents if agent.is_scraped)
        url = stack.layout.url("monitor_internal") + f"/nodes/{place.customer_id}/{place.node_id}/scrape"
        token = {"Authorization": f"Bearer {stack.secrets['internal_token']}"}
        assert requests.get(url, headers=token, timeout=15).status_code == 502, "nobody runs there"
        assert stack.own_metrics("monitor_internal")["vigia_monitor_places_unknown"] == 0
        stack.kill("monitor")
        path = stack.layout.data / "monitor.db"
        path.write_bytes(bytes(4096) + path.read_bytes()[4096:])
        assert "in doubt" in _start_in_doubt_or_not(stack)
        assert requests.get(url, headers=token, timeout=15).status_code == 503
        assert stack.own_metrics("monitor_internal")["vigia_monitor_places_unknown"] == 1


def test_an_empty_database_in_its_place_is_taken_by_nobody_f2(tmp_path: Path) -> None:
    """Everything of the monitor is gone, its state too: then collector and router are the last who know."""
    with Stack(tmp_path) as stack:
        _start(stack)
        stack.kill("monitor")
        for path in stack.layout.data.glob("monitor.db*"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        stack.start("monitor")

        def is_doubted(part: str, name: str) -> bool:
            return stack.own_metrics(part).get(name) == 1

        wait_for("collector doubts", lambda: is_doubted("collector_metrics", "vigia_directory_is_doubted"))
        wait_for("router doubts", lambda: is_doubted("router_metrics", "vigia_router_directory_is_doubted"))
        assert [_send(stack, c, stack.token(c, "ingest")) for c in (A, B)] == [200, 200]
        stack.kill("collector")
        stack.start("collector")
        assert [_send(stack, c, stack.token(c, "ingest")) for c in (A, B)] == [200, 200]
        assert "is doubted and not taken" in (tmp_path / "log" / "collector.log").read_text()
        stack.stop("monitor")
        done = _maintain(stack, "accept")
        assert done.returncode == 0, done.stderr


def test_no_damage_of_a_kept_directory_gives_one_customer_anothers_tokens_f4(tmp_path: Path) -> None:
    chance = random.Random(2)
    with Stack(tmp_path) as stack:
        _start(stack)
        with _control(stack) as control:
            control.request("POST", "/customers", {"id": "cliente-c", "name": "Tercera"})
            other = control.request("POST", "/customers/cliente-c/tokens", {"name": "c", "scope": "ingest"})["token"]
        wait_for("the third is known", lambda: _send(stack, "cliente-c", other) == 200)
        caches = [stack.layout.data / f"{part}-directory.json" for part in ("collector", "router")]
        wait_for("caches have it", lambda: all(b'"cliente-c"' in path.read_bytes() for path in caches))
        stack.kill("monitor", "collector", "router")
        kept = {path: (path.read_bytes(), path.with_name(path.name + ".previous").read_bytes()) for path in caches}
        at = kept[caches[0]][0].index(b'"id":"cliente-b"') + len(b'"id":"cliente-')
        for turn in range(8):
            for path, (newest, previous) in kept.items():
                damaged = bytearray(newest)
                damaged[at] ^= 1
                path.write_bytes(bytes(damaged) if turn == 0 else _damage(newest, chance))
                path.with_name(path.name + ".previous").write_bytes(previous if turn < 6 else previous[: 40 * turn])
            # Where nothing is known the router is not ready, and the collector refuses retryably.
            running = ("collector", "router") if turn < 6 else ("collector",)
            stack.start(*running)
            own = _send(stack, B, stack.token(B, "ingest"))
            assert own == (200 if turn < 6 else 503), turn
            assert _send(stack, "cliente-c", stack.token(B, "ingest")) in (400, 401, 403, 503)
            assert _send(stack, B, other) in (400, 401, 403, 503)
            assert "router" not in running or _knows(stack, stack.token(B, "read")) != 401
            assert stack.own_metrics("collector_metrics")["vigia_directory_cache_damaged"] >= 1
            stack.kill(*running)
        for part in ("collector", "router"):
            log = (tmp_path / "log" / f"{part}.log").read_text()
            assert "a cached customer directory is damaged and not used" in log


def test_a_cache_of_before_the_checksum_is_read_once_f4(tmp_path: Path) -> None:
    with Stack(tmp_path) as stack:
        _start(stack)
        path = stack.layout.data / "collector-directory.json"
        stack.kill("monitor", "collector")
        document = path.read_bytes().split(b"\n", 1)[1]
        assert json.loads(document)["customers"]
        path.write_bytes(document)
        stack.start("collector")
        assert _send(stack, B, stack.token(B, "ingest")) == 200
        stack.start("monitor")
        wait_for("it has its head again", lambda: path.read_bytes().startswith(b"vigia-directory 1 "))
