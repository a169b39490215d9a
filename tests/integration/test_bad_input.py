"""Bad input gets a clear answer, and the next good request is served."""

from __future__ import annotations

import gzip
import os
import re
import signal
import socket
import subprocess
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from otlp import gauge, metrics_request, post, resource_of
from stack import Stack, binaries, wait_for

PROGRAMS = {
    "collector": "collector.yaml",
    "storage": "storage.yaml",
    "router": "router.yaml",
    "monitor": "monitor.yaml",
    "agent": "agent-a1.yaml",
}


@pytest.fixture(scope="module")
def open_door(running_stack: Stack) -> str:
    return running_stack.layout.url("collector_http")


def _good_body() -> bytes:
    metric = gauge("after_bad", [(time.time_ns() // 1_000_000, 1.0)])
    body: bytes = metrics_request(resource_of("cliente-a"), metric).SerializeToString()
    return body


def _assert_still_serves(stack: Stack) -> None:
    url = stack.layout.url("collector_http")
    assert post(url, stack.token("cliente-a", "ingest"), _good_body()).status_code == 200


class TestTokens:
    def test_missing_and_wrong(self, running_stack: Stack, open_door: str) -> None:
        for token in (None, "wrong", "", running_stack.token("cliente-a", "ingest").swapcase()):
            answer = post(open_door, token, _good_body())
            assert answer.status_code == 401, token
        _assert_still_serves(running_stack)

    def test_a_read_token_cannot_write(self, running_stack: Stack, open_door: str) -> None:
        assert post(open_door, running_stack.token("cliente-a", "read"), _good_body()).status_code == 403

    def test_an_ingest_token_cannot_read(self, running_stack: Stack) -> None:
        answer = running_stack.ask("/api/v1/query", running_stack.token("cliente-a", "ingest"), query="up")
        assert answer.status_code == 403

    def test_router_without_and_with_two(self, running_stack: Stack) -> None:
        url = f"{running_stack.layout.url('router')}/api/v1/query?query=up"
        assert requests.get(url, timeout=5).status_code == 401
        assert requests.get(url, headers={"Authorization": "Bearer nobody"}, timeout=5).status_code == 401
        token = running_stack.token("cliente-a", "read")
        with socket.create_connection((running_stack.layout.host, running_stack.layout.ports["router"])) as raw:
            header = f"Authorization: Bearer {token}\r\n"
            raw.sendall(f"GET /api/v1/query?query=up HTTP/1.1\r\nHost: x\r\n{header}{header}\r\n".encode())
            assert b" 400 " in raw.recv(4096).split(b"\r\n")[0]

    # C63.
    def test_revoked_and_expired_are_refused_within_five_seconds(self, running_stack: Stack, open_door: str) -> None:
        from launcher.control import Control

        control = Control(running_stack.layout.url("monitor"), "admin", running_stack.secrets["admin_password"])
        made = control.request("POST", "/customers/cliente-a/tokens", {"name": "short", "scope": "ingest"})
        wait_for("accepted", lambda: post(open_door, made["token"], _good_body()).status_code == 200, 5)
        control.request("DELETE", f"/customers/cliente-a/tokens/{made['id']}")
        wait_for("refused", lambda: post(open_door, made["token"], _good_body()).status_code == 401, 5)
        soon = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3))
        content = {"name": "expiring", "scope": "ingest", "expires_at": soon}
        expiring = control.request("POST", "/customers/cliente-a/tokens", content)
        wait_for("accepted", lambda: post(open_door, expiring["token"], _good_body()).status_code == 200, 3)
        wait_for("expired", lambda: post(open_door, expiring["token"], _good_body()).status_code == 401, 8)

    # C63: on a connection that is open.
    def test_one_that_is_revoked_while_its_body_comes_is_refused(self, running_stack: Stack, open_door: str) -> None:
        from launcher.control import Control

        control = Control(running_stack.layout.url("monitor"), "admin", running_stack.secrets["admin_password"])
        made = control.request("POST", "/customers/cliente-a/tokens", {"name": "slow", "scope": "ingest"})
        wait_for("accepted", lambda: post(open_door, made["token"], _good_body()).status_code == 200, 5)
        place = urlsplit(open_door)
        body = _good_body()
        head = (
            f"POST /v1/metrics HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {made['token']}\r\n"
            f"Content-Type: application/x-protobuf\r\nContent-Length: {len(body)}\r\nExpect: 100-continue\r\n\r\n"
        )
        with socket.create_connection((str(place.hostname), int(place.port or 0)), 10) as raw:
            raw.sendall(head.encode())
            assert b" 100 " in raw.recv(4096), "the head was let in"
            control.request("DELETE", f"/customers/cliente-a/tokens/{made['id']}")
            wait_for("refused", lambda: post(open_door, made["token"], body).status_code == 401, 5)
            raw.sendall(body)
            assert b" 401 " in raw.recv(4096).split(b"\r\n")[0]


class TestBodies:
    def test_garbage(self, running_stack: Stack, open_door: str) -> None:
        token = running_stack.token("cliente-a", "ingest")
        for body in (b"\xff" * 100, b"not protobuf at all", b"\x0a\xff\xff\xff\xff\x0f", os.urandom(4096)):
            answer = post(open_door, token, body)
            assert answer.status_code == 400, body[:20]
            assert answer.headers["Content-Type"] == "application/x-protobuf"
        json_answer = post(open_door, token, b"{broken", headers={"Content-Type": "application/json"})
        assert json_answer.status_code == 400
        assert json_answer.json()["code"] == 3
        _assert_still_serves(running_stack)

    # C21, R-SEC-1.
    def test_oversized_and_bombs(self, running_stack: Stack, open_door: str) -> None:
        token = running_stack.token("cliente-a", "ingest")
        pid = running_stack.running["collector"].pid
        bomb = gzip.compress(b"\0" * (512 << 20), 9)
        assert len(bomb) < 1 << 20
        before = _peak_rss_mib(pid)
        answer = post(open_door, token, bomb, headers={"Content-Encoding": "gzip"})
        assert answer.status_code == 413
        assert _peak_rss_mib(pid) - before < 160, "memory grows by the 64 MiB limit and its copies at most"
        nested = post(
            open_door, token, gzip.compress(gzip.compress(_good_body())), headers={"Content-Encoding": "gzip"}
        )
        assert nested.status_code == 400
        damaged = post(open_door, token, gzip.compress(_good_body())[:-9], headers={"Content-Encoding": "gzip"})
        assert damaged.status_code == 400
        _assert_still_serves(running_stack)

    # R-OTLP-9, C25.
    def test_content_type_method_and_path(self, running_stack: Stack, open_door: str) -> None:
        token = running_stack.token("cliente-a", "ingest")
        assert post(open_door, token, _good_body(), headers={"Content-Type": "text/plain"}).status_code == 415
        headers = {"Authorization": f"Bearer {token}"}
        assert requests.get(f"{open_door}/v1/metrics", headers=headers, timeout=5).status_code == 405
        assert requests.post(f"{open_door}/v2/metrics", headers=headers, timeout=5).status_code == 404
        lower = {"Authorization": f"bearer {token}", "Content-Type": "Application/X-Protobuf; charset=utf-8"}
        assert requests.post(f"{open_door}/v1/metrics", _good_body(), headers=lower, timeout=5).status_code == 200


def _peak_rss_mib(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise AssertionError("no VmHWM")


def _check(program: str, config: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "VIGIA_INTERNAL_TOKEN": "an-internal-token",
        "VIGIA_ADMIN_PASSWORD": "Tr0mbon-lluvia-7",
        "VIGIA_TOKEN": "token",
    }
    words = [str(binaries() / f"vigia-{program}"), "--config", str(config), *flags]
    return subprocess.run(words, capture_output=True, text=True, timeout=20, env=environment, check=False)


@pytest.mark.parametrize("program", PROGRAMS)
class TestConfigurations:
    def test_good(self, stack: Stack, program: str) -> None:
        done = _check(program, stack.layout.config / PROGRAMS[program], "--check-config")
        assert done.returncode == 0, done.stderr

    @pytest.mark.parametrize(
        "broken",
        ["unknown_key: 1\n", "{first_line}\n", "<<: {{a: 1}}\n", "x: ${{env:VIGIA_NOT_SET}}\n", "a: [\n"],
        ids=["unknown key", "doubled key", "merge key", "unset variable", "broken YAML"],
    )
    def test_bad_key_is_named_with_its_line(self, stack: Stack, program: str, broken: str) -> None:
        file = stack.layout.config / PROGRAMS[program]
        good = file.read_text()
        lines = good.splitlines()
        first = lines[0] if not lines[0].endswith(":") else lines[0] + " {}"
        file.write_text(good + broken.format(first_line=first))
        for flags in (["--check-config"], []):
            done = _check(program, file, *flags)
            assert done.returncode == 2, done.stderr
            assert len(done.stderr.strip().splitlines()) == 1, done.stderr
            assert f"{file.name}:" in done.stderr
            line = int(done.stderr.split(f"{file.name}:")[1].split(":")[0])
            assert len(lines) <= line <= len(lines) + 2, done.stderr

    def test_help_and_version(self, stack: Stack, program: str) -> None:
        for flag in ("--help", "--version"):
            words = [str(binaries() / f"vigia-{program}"), flag]
            done = subprocess.run(words, capture_output=True, text=True, timeout=20, check=False)
            assert done.returncode == 0
            assert "vigia" in done.stdout


@pytest.mark.parametrize(
    ("program", "line", "instead", "told"),
    [
        ("monitor", "^database: .*", "database: mysql://u@h/n", "database: give sqlite:///path"),
        ("monitor", "^listen: .*", "listen: 0.0.0.0", 'listen: "0.0.0.0" is not host:port'),
        ("monitor", "^internal_listen: .*", 'internal_listen: "a:b"', 'internal_listen: "a:b" is not host:port'),
        ("storage", "^listen: .*", "listen: 127.0.0.1", 'listen: "127.0.0.1" is not host:port'),
        ("router", "^listen: .*", "listen: 25102", 'listen: "25102" is not host:port'),
        (
            "router",
            "^edge: .*",
            "tls: {cert_file: /nope.crt, key_file: /nope.key}",
            "tls.cert_file: /nope.crt cannot be opened",
        ),
        (
            "agent",
            "^health: .*",
            "health: {listen: 127.0.0.1:8081, tls: {cert_file: /nope.crt, key_file: /nope.key}}",
            "health.tls.cert_file: /nope.crt cannot be opened",
        ),
        ("router", "url: .*/snapshot", "file: /nope.yaml", "directory.file: /nope.yaml cannot be opened"),
        ("collector", "url: .*/snapshot", "file: /nope.yaml", "directory.file: /nope.yaml cannot be opened"),
        ("collector", "grpc: {endpoint: [^,]*", "grpc: {endpoint: 127.0.0.1", 'endpoint: "127.0.0.1" is not host:port'),
    ],
)
def test_what_would_end_the_start_is_told_by_the_check(
    stack: Stack, program: str, line: str, instead: str, told: str
) -> None:
    """It said "valid", and the start ended with words of getaddrinfo or OpenSSL that name no line."""
    file = stack.layout.config / PROGRAMS[program]
    changed, number = re.subn(line, instead, file.read_text(), count=1, flags=re.MULTILINE)
    assert number == 1
    file.write_text(changed)
    at = next(index for index, text in enumerate(changed.splitlines(), 1) if instead in text)
    done = _check(program, file, "--check-config")
    assert done.returncode == 2
    assert f"{file.name}:{at}: " in done.stderr
    assert told in done.stderr


class TestSecondCopies:
    def test_a_taken_port_is_named(self, stack: Stack) -> None:
        stack.start("storage")
        (stack.layout.data / "other").mkdir()
        file = stack.layout.config / "storage.yaml"
        moved = file.read_text().replace(f"{stack.layout.data}/storage", f"{stack.layout.data}/other")
        file.write_text(moved.replace(stack.layout.address("storage_metrics"), f"{stack.layout.host}:0"))
        done = _check("storage", file)
        assert done.returncode == 2
        assert stack.layout.address("storage") in done.stderr

    def test_a_data_folder_in_use_is_named(self, stack: Stack) -> None:
        stack.start("storage")
        file = stack.layout.config / "storage.yaml"
        text = file.read_text()
        text = text.replace(stack.layout.address("storage"), f"{stack.layout.host}:0")
        text = text.replace(stack.layout.address("storage_metrics"), f"{stack.layout.host}:0")
        file.write_text(text)
        done = _check("storage", file)
        assert done.returncode == 2
        assert f"{stack.layout.data}/storage" in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small file system needs root")
def test_a_full_disk_refuses_and_resumes(stack: Stack) -> None:
    folder = stack.layout.data / "collector"
    folder.mkdir(parents=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(folder)], check=False, capture_output=True, text=True
    )
    assert mounted.returncode == 0, mounted.stderr
    try:
        stack.start_central()
        stack.kill("storage")  # nothing leaves the log any more
        url, token = stack.layout.url("collector_http"), stack.token("cliente-a", "ingest")
        filler = folder / "filler"
        room = os.statvfs(folder)
        filler.write_bytes(bytes(room.f_bavail * room.f_frsize - (2 << 20)))
        now_ms = time.time_ns() // 1_000_000
        sent = 0

        def send() -> requests.Response:
            points = [(now_ms + n, float(int.from_bytes(os.urandom(4), "big"))) for n in range(2000)]
            body = metrics_request(resource_of("cliente-a"), gauge("bulk", points)).SerializeToString()
            return post(url, token, body)

        for _ in range(2000):
            answer = send()
            if answer.status_code != 200:
                break
            sent += 1
        assert answer.status_code in (429, 503), f"retryable, not {answer.status_code}"
        assert sent > 0
        filler.unlink()
        wait_for("it takes data again by itself", lambda: send().status_code == 200, 30)
        stack.running["collector"].end(signal.SIGKILL)
    finally:
        for running in stack.running.values():
            if running.is_running():
                running.end(signal.SIGKILL)
        subprocess.run(["umount", str(folder)], check=True)
