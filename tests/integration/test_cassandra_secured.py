"""vigia-storage on a node that wants TLS, a certificate and a password: with them it works, and without each it says what to do."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cassandra_secured import PASSWORD, USER, SecuredNode
from cassandra_server import OwnCassandra
from certificates import make_authority, make_certificate
from cold_store import TOKEN, StorageAlone
from remote_read import SAMPLES, post_read, read_request, samples_of
from remote_write import write
from stack import binaries, wait_for

pytestmark = [pytest.mark.thorough, pytest.mark.cassandra]  # a node more, for what the driver says and we do not

CUSTOMER = "cliente-a"
HEADERS = {**TOKEN, "X-Vigia-Customer": CUSTOMER}
SECRET = "geheim-und-falsch"

_STORAGE = """
listen: {host}:9096
metrics: {{listen: "{host}:9196"}}
internal_token: secret
store:
  cassandra: {{directory: "{folder}", contact_points: ["{node}"], keyspace: secured, replication_factor: 1{more}}}
"""


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredNode]:
    made = SecuredNode(tmp_path_factory.mktemp("secured"))
    make_authority(made.certificates, "other")
    make_certificate(made.certificates, "stranger", "other", made.host)
    with OwnCassandra(made.folder, made):
        yield made


Maker = Callable[[str], StorageAlone]


@pytest.fixture
def make(node: SecuredNode, tmp_path: Path) -> Iterator[Maker]:
    """A storage with these further keys; killed at the end."""
    made: list[StorageAlone] = []

    def one(more: str) -> StorageAlone:
        storage = StorageAlone(tmp_path)
        words = {"host": storage.host, "folder": storage.folder, "node": node.contact_point}
        storage.config.write_text(_STORAGE.format(**words, more=more))
        made.append(storage)
        return storage

    yield one
    for storage in made:
        storage.kill()


def tls(node: SecuredNode, ca: str = "ca", client: str = "client") -> str:
    place = node.certificates
    shown = f", cert_file: {place}/{client}.pem, key_file: {place}/{client}.key" if client else ""
    return f", tls: {{ca_file: {place}/{ca}.pem{shown}}}"


def login(password: str = PASSWORD) -> str:
    return f", user: {USER}, password: {password}"


def test_with_certificate_and_password_it_stores_and_reads(node: SecuredNode, make: Maker) -> None:
    storage = make(login() + tls(node))
    storage.launch()
    assert storage.running is not None
    storage.running.wait_until_ready(150)
    now = int(time.time()) * 1000 - 60_000
    write(storage.url, [({"__name__": "probe", "customer_id": CUSTOMER}, [(now, 1.0)])], HEADERS)
    answer = post_read(storage.url, read_request([("probe", 0, 2**62)]), SAMPLES, HEADERS)
    assert answer.status_code == 200, answer.text
    assert list(samples_of(answer).values()) == [{now: 1.0}]
    assert storage.stop() == 0


def last_words(storage: StorageAlone) -> str:
    """Of a start that ends by itself."""
    words = [str(binaries() / "vigia-storage"), "--config", str(storage.config)]
    done = subprocess.run(words, check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode != 0
    said = done.stdout + done.stderr
    assert SECRET not in said
    return said


def test_a_wrong_password_ends_the_start_and_is_shown_nowhere(node: SecuredNode, make: Maker) -> None:
    said = last_words(make(login(SECRET) + tls(node)))
    assert "(user, password)" in said, said


def test_without_a_password_it_is_said_that_the_node_asks_for_one(node: SecuredNode, make: Maker) -> None:
    assert "(user, password)" in last_words(make(tls(node)))


def test_a_node_of_another_authority_is_not_trusted(node: SecuredNode, make: Maker) -> None:
    said = last_words(make(login(SECRET) + tls(node, ca="other")))
    assert "tls.ca_file" in said, said


@pytest.mark.parametrize("client", ["", "stranger"])
def test_a_node_that_takes_no_client_without_its_certificate_says_so(
    node: SecuredNode, make: Maker, client: str
) -> None:
    said = last_words(make(login(SECRET) + tls(node, client=client)))
    assert "tls.cert_file" in said, said


def test_plain_text_to_a_node_that_takes_tls_waits_and_says_why(node: SecuredNode, make: Maker) -> None:
    """A node that begins closes connections, too: the start waits, as for one."""
    storage = make(login(SECRET))
    storage.launch()

    def is_told() -> bool:
        text = storage.log.read_text()
        assert SECRET not in text
        return "the start waits" in text and "takes TLS alone (tls)" in text

    wait_for("the log says what may be", is_told, 30)


def test_files_that_are_not_there_are_told_before_a_start(node: SecuredNode, make: Maker) -> None:
    storage = make(login(SECRET) + tls(node, ca="nowhere"))
    words = [str(binaries() / "vigia-storage"), "--config", str(storage.config), "--check-config"]
    done = subprocess.run(words, check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert "nowhere.pem" in done.stderr
    assert SECRET not in done.stderr
