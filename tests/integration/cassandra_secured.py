"""A Cassandra node that wants TLS, a certificate of whoever connects, and a password."""

from __future__ import annotations

import socket
import ssl
import struct
import subprocess
from pathlib import Path

from certificates import make_authority, make_certificate
from launcher.cassandra import CassandraNode
from launcher.layout import own_host

STORE_PASSWORD = "keystore"  # of files that are a test's own
USER = PASSWORD = "cassandra"  # which a new cluster has

_SECURED = """authenticator: {{class_name: PasswordAuthenticator}}
authorizer: {{class_name: CassandraAuthorizer}}
role_manager: {{class_name: CassandraRoleManager}}
client_encryption_options:
  enabled: true
  optional: false
  keystore: {folder}/node.p12
  truststore: {folder}/ca.p12
  keystore_password: {password}
  truststore_password: {password}
  store_type: PKCS12
  require_client_auth: true
  protocol: TLS
"""


class SecuredNode(CassandraNode):
    """`certificates` has ca.pem, by which it is known, and client.pem and client.key, which it takes."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / "node", own_host())
        self.certificates = folder / "certificates"
        self.certificates.mkdir(parents=True)
        make_authority(self.certificates, "ca")
        make_certificate(self.certificates, "node", "ca", self.host)
        make_certificate(self.certificates, "client", "ca", self.host)
        self._make_stores()

    def _make_stores(self) -> None:
        place, password = self.certificates, f"pass:{STORE_PASSWORD}"
        words = ["openssl", "pkcs12", "-export", "-in", "node.pem", "-inkey", "node.key", "-out", "node.p12"]
        subprocess.run([*words, "-passout", password], cwd=place, check=True, capture_output=True)
        words = ["keytool", "-importcert", "-noprompt", "-alias", "ca", "-file", "ca.pem", "-keystore", "ca.p12"]
        words += ["-storetype", "PKCS12", "-storepass", STORE_PASSWORD]
        subprocess.run(words, cwd=place, check=True, capture_output=True)

    def _yaml(self) -> str:
        return super()._yaml() + _SECURED.format(folder=self.certificates, password=STORE_PASSWORD)

    def _answers(self) -> bool:
        """Takes the password that a new cluster has, which it does a second after it answers."""
        context = ssl.create_default_context(cafile=str(self.certificates / "ca.pem"))
        context.load_cert_chain(self.certificates / "client.pem", self.certificates / "client.key")
        try:
            with (
                socket.create_connection((self.host, self.port), timeout=5) as plain,
                context.wrap_socket(plain, server_hostname=self.host) as connection,
            ):
                words = struct.pack(">H", 1) + b"\x00\x0bCQL_VERSION\x00\x053.0.0"
                if _opcode_of(connection, 0x01, words) != 0x03:  # AUTHENTICATE
                    return False
                token = b"\0" + USER.encode() + b"\0" + PASSWORD.encode()
                return _opcode_of(connection, 0x0F, struct.pack(">i", len(token)) + token) == 0x10  # AUTH_SUCCESS
        except OSError:
            return False


def _opcode_of(connection: ssl.SSLSocket, opcode: int, body: bytes) -> int:
    connection.sendall(struct.pack(">BBhBi", 4, 0, 0, opcode, len(body)) + body)
    head = connection.recv(9)
    size = int.from_bytes(head[5:9], "big") if len(head) == 9 else 0
    while size > 0:
        size -= len(connection.recv(size)) or size
    return head[4] if len(head) == 9 else -1
