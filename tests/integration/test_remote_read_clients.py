"""Remote read through the router: a customer's own Prometheus that reads its series there, and requests made by hand, of three
customers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from canaries import CUSTOMERS, OLD_MS, SECRETS, Canaries, leaks_in
from launcher.commands import Command
from launcher.layout import beside
from remote_read import CHUNKS, SAMPLES, post_read, read_request, samples_of
from remote_write import sized, snappy, unpack, varint
from stack import Running, Stack, prometheus_programs

OLD_QUERIES = ("shared_old_total", "sum by (customer_id) (rate(shared_old_total[10m]))", '{__name__=~".+_old_total"}')


@pytest.fixture(scope="module")
def router(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Canaries]:
    with Stack(tmp_path_factory.mktemp("read")) as stack:
        made = Canaries(stack)
        made.start()
        made.fill()
        yield made


def _matching(name: str, value: str, kind: int = 0) -> bytes:
    """A matcher of a query."""
    return sized(3, b"\x08" + varint(kind) + sized(2, name.encode()) + sized(3, value.encode()))


def _request(router: Canaries, *matchers: bytes) -> bytes:
    start, end = router.now_ms - OLD_MS - 3_600_000, router.now_ms + 60_000
    return sized(1, b"\x08" + varint(start) + b"\x10" + varint(end) + b"".join(matchers))


def _own_prometheus(program: Path, folder: Path, router: Canaries, token: str, **labels: str) -> Running:
    """It scrapes nothing; all that it knows it reads by the token."""
    host = beside(router.stack.layout.host, 21)
    read = {"url": f"{router.url}/api/v1/read", "authorization": {"credentials": token}, "read_recent": True}
    config: dict[str, Any] = {"global": {"external_labels": labels}, "remote_read": [read]}
    folder.mkdir(exist_ok=True)
    (folder / "p.yml").write_text(yaml.safe_dump(config))
    words = [
        str(program),
        f"--config.file={folder}/p.yml",
        f"--storage.tsdb.path={folder}/data",
        f"--web.listen-address={host}:9090",
    ]
    running = Running(Command("own", words, f"http://{host}:9090/-/ready", {}), folder / "own.log")
    running.wait_until_ready()
    return running


def _query(running: Running, query: str, at_s: float) -> list[dict[str, Any]]:
    url = running.command.ready_url.removesuffix("/-/ready")
    answer = requests.get(f"{url}/api/v1/query", params={"query": query, "time": str(at_s)}, timeout=30)
    assert answer.status_code == 200, answer.text
    assert "warnings" not in answer.json(), answer.text
    result: list[dict[str, Any]] = answer.json()["data"]["result"]
    return result


@pytest.mark.parametrize("program", prometheus_programs(), ids=lambda program: program[0])
def test_a_customers_own_prometheus(router: Canaries, tmp_path: Path, program: tuple[str, Path]) -> None:
    """It evaluates over what it reads as the router does, and sees its customer's series alone."""
    at_s = (router.now_ms - OLD_MS) / 1000 + 1830  # on no sample: versions differ there
    for customer, token in CUSTOMERS.items():
        running = _own_prometheus(program[1], tmp_path / customer, router, token)
        for query in OLD_QUERIES:
            found = _query(running, query, at_s)
            wanted = router.result(query, token, time=str(at_s))
            key = lambda one: sorted(one["metric"].items())  # noqa: E731
            assert sorted(found, key=key) == sorted(wanted, key=key), query
            assert found
            assert leaks_in(customer, str(found).encode()) == []
        assert SECRETS[customer] in str(_query(running, '{__name__=~".+",customer_id=~".*"}', at_s))
        assert _query(running, 'shared_old_total{customer_id!~"cliente-.*"}', at_s) == []
        running.end()


def test_an_external_label_opens_nothing(router: Canaries, tmp_path: Path) -> None:
    """R-RR-4: such a Prometheus asks for series without that label, and writes it on what comes."""
    running = _own_prometheus(prometheus_programs()[1][1], tmp_path / "p", router, "read-a", customer_id="cliente-b")
    at_s = (router.now_ms - OLD_MS) / 1000 + 1830  # on no sample: versions differ there
    found = _query(running, 'shared_old_total{customer_id="cliente-b"}', at_s)
    assert leaks_in("cliente-a", str(found).encode()) == []
    running.end()


class TestByHand:
    @pytest.mark.parametrize(
        "kind", [SAMPLES, CHUNKS, b"\x10\x01\x10\x00", b""], ids=["samples", "chunks", "both", "none"]
    )
    def test_each_sees_its_own(self, router: Canaries, kind: bytes) -> None:
        questions = (
            _request(router, _matching("__name__", ".+", 2)),
            _request(router, _matching("customer_id", "cliente-b")),
            _request(router, _matching("customer_id", "cliente-b"), _matching("customer_id", "cliente-.*", 2)),
            _request(router, _matching("customer_id", "cliente-a", 1), _matching("__name__", ".+", 2)),
            _request(router, _matching("customer_id", ".*", 2), _matching("node_id", ".+", 2)),
            _request(router, _matching("__name__", "shared")) + _request(router, _matching("customer_id", "cliente-c")),
        )
        for customer, token in CUSTOMERS.items():
            own = 0
            for question in questions:
                lie = {"X-Vigia-Customer": "cliente-b", "X-Scope-OrgID": "cliente-b"}
                answer = post_read(router.url, question, kind, {"Authorization": f"Bearer {token}", **lie})
                assert answer.status_code == 200, answer.text
                is_chunks = kind.startswith(CHUNKS)
                assert answer.headers["Content-Type"].startswith(
                    "application/x-streamed" if is_chunks else "application/x-protobuf"
                )
                content = answer.content if is_chunks else unpack(answer.content)
                assert leaks_in(customer, content + str(answer.headers).encode()) == []
                own += SECRETS[customer].encode() in content
            assert own >= 3

    def test_what_it_says_is_what_is_stored(self, router: Canaries) -> None:
        start = router.now_ms - OLD_MS
        asked = read_request([("shared_old_total", start, start + 3_600_000)])
        found = samples_of(post_read(router.url, asked, SAMPLES, {"Authorization": "Bearer read-a"}))
        ((labels, samples),) = found.items()
        assert dict(labels)["customer_id"] == "cliente-a"
        assert samples == {start + n * 60_000: float(n) for n in range(60)}

    def test_what_is_wrong(self, router: Canaries) -> None:
        own = {"Authorization": "Bearer read-a"}
        assert (
            post_read(router.url, _request(router, _matching("__rollup__", "1h:sum")), SAMPLES, own).status_code == 400
        )
        assert post_read(router.url, _request(router, _matching("job", "(", 2)), SAMPLES, own).status_code == 400
        assert post_read(router.url, _request(router), SAMPLES, own).status_code == 400
        assert (
            post_read(
                router.url, _request(router, _matching("job", "x")), SAMPLES, {"Authorization": "Bearer x"}
            ).status_code
            == 401
        )
        huge = requests.post(f"{router.url}/api/v1/read", data=b"\xff\xff\xff\xff\x0f", headers=own, timeout=10)
        assert huge.status_code in (400, 413)
        many = b"".join(_request(router, _matching("job", "x")) for _ in range(100))
        assert post_read(router.url, many, SAMPLES, own).status_code in (400, 413)
        for coding in ("gzip", "zstd"):
            headers = {**own, "Content-Encoding": coding}
            assert (
                requests.post(f"{router.url}/api/v1/read", data=snappy(b""), headers=headers, timeout=10).status_code
                == 400
            )

    def test_an_operator_sees_all_or_one(self, router: Canaries) -> None:
        question = _request(router, _matching("__name__", "shared_old_total"))
        everybody = samples_of(post_read(router.url, question, SAMPLES, {"Authorization": "Bearer op"}))
        assert len(everybody) == 3
        one = {"Authorization": "Bearer op", "X-Vigia-Customer": "cliente-b"}
        ((labels, _),) = samples_of(post_read(router.url, question, SAMPLES, one)).items()
        assert dict(labels)["customer_id"] == "cliente-b"
