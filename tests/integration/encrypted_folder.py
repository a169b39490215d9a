"""A file system in a file, one of whose folders the kernel encrypts (fscrypt on ext4): for tests, as root."""

from __future__ import annotations

import contextlib
import fcntl
import os
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

IMAGE_BYTES = 256 << 20
# linux/fscrypt.h
_ADD_KEY, _SET_POLICY = 0xC0506617, 0x800C6613
_KEY_BY_IDENTIFIER, _POLICY_V2, _AES_256_XTS, _AES_256_CTS, _PAD_32 = 2, 2, 1, 4, 3


@contextlib.contextmanager
def _opened(folder: Path) -> Iterator[int]:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


class EncryptedFolder:
    """`sealed` is encrypted and `plain` is not; both lie on one image."""

    def __init__(self, folder: Path) -> None:
        self.image, self.mounted = folder / "image", folder / "mounted"
        self.sealed, self.plain = self.mounted / "sealed", self.mounted / "plain"
        self._key = os.urandom(64)
        with self.image.open("wb") as file:
            file.truncate(IMAGE_BYTES)
        subprocess.run(["mkfs.ext4", "-q", "-b", "4096", "-O", "encrypt", str(self.image)], check=True)
        self.mounted.mkdir()
        self.mount()
        self.plain.mkdir()
        self.sealed.mkdir()
        self._seal(self.give_key())

    def mount(self) -> None:
        """The key is not known then."""
        subprocess.run(["mount", "-o", "loop", str(self.image), str(self.mounted)], check=True)

    def unmount(self) -> None:
        subprocess.run(["umount", str(self.mounted)], check=True)

    def give_key(self) -> bytes:
        """The key's name."""
        asked = bytearray(struct.pack("<II32xII32x", _KEY_BY_IDENTIFIER, 0, len(self._key), 0) + self._key)
        with _opened(self.mounted) as descriptor:
            fcntl.ioctl(descriptor, _ADD_KEY, asked, True)
        return bytes(asked[8:24])

    def _seal(self, identifier: bytes) -> None:
        policy = struct.pack("<BBBB4x16s", _POLICY_V2, _AES_256_XTS, _AES_256_CTS, _PAD_32, identifier)
        with _opened(self.sealed) as descriptor:
            fcntl.ioctl(descriptor, _SET_POLICY, bytearray(policy), True)

    def holds(self, text: bytes) -> bool:
        """Whether the image, as a thief of the disk has it, shows the text anywhere."""
        with self.image.open("rb") as file:
            before = b""
            while piece := file.read(1 << 24):
                if text in before + piece:
                    return True
                before = piece[-len(text) :]
        return False
