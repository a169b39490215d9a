"""Authorities and certificates of a test's own."""

from __future__ import annotations

import subprocess
from pathlib import Path


def _openssl(*words: str) -> None:
    subprocess.run(["openssl", *words], check=True, capture_output=True)


def make_authority(folder: Path, name: str) -> None:
    """name.pem and name.key."""
    _openssl(*f"req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN={name}".split(),
             "-keyout", str(folder / f"{name}.key"), "-out", str(folder / f"{name}.pem"))  # fmt: skip


def make_certificate(folder: Path, name: str, authority: str, host: str, days: int = 2) -> None:
    """name.pem and name.key, for what is reached at the address `host`, signed by an authority of the same folder.

    Of so many days from now on; below 0 it is over already.
    """
    key, request, made = (str(folder / f"{name}.{end}") for end in ("key", "csr", "pem"))
    _openssl(*f"req -newkey rsa:2048 -nodes -subj /CN={name} -keyout {key} -out {request}".split())
    names = folder / "names"
    names.write_text(f"subjectAltName=IP:{host}\n")
    _openssl(*f"x509 -req -days {days} -in {request} -out {made} -extfile {names} -CAcreateserial".split(),
             "-CA", str(folder / f"{authority}.pem"), "-CAkey", str(folder / f"{authority}.key"))  # fmt: skip
