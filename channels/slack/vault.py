"""Encrypts the tokens of installed workspaces. Knows nothing of where they are kept.

AES-GCM with a key from the operator's secret; the name that a token is kept under is bound into it, so that nobody can
move one workspace's token to another.
"""

from __future__ import annotations

import base64
import hashlib
import os
import secrets
from pathlib import Path

from bot import StartError


def key_of(secret: str) -> bytes:
    """The key that belongs to an operator's secret: 16 characters or more, best made at random."""
    return hashlib.scrypt(secret.encode(), salt=b"frontdesk slack tokens", n=2**14, r=8, p=1, dklen=32)


def key_in(folder: Path) -> bytes:
    """The key of this home folder; made on first use, for its owner only. Raises StartError."""
    path = folder / "token.key"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            key = path.read_bytes()
            if len(key) == 32:
                return key
            problem = f"{path} is no key: restore it, or delete it and let every workspace install anew"
            raise StartError(problem) from None
        key = secrets.token_bytes(32)
        with os.fdopen(handle, "wb") as file:
            file.write(key)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise StartError(f"the key for Slack tokens can't be kept in {path}: {error.strerror}") from error
    return key


class Vault:
    """Seals and opens texts with one key."""

    def __init__(self, key: bytes) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 - only installs need it

        self._cipher = AESGCM(key)

    def seal(self, name: str, text: str) -> str:
        """`text`, to be kept under `name`."""
        nonce = secrets.token_bytes(12)
        sealed = self._cipher.encrypt(nonce, text.encode(), name.encode())
        return base64.urlsafe_b64encode(nonce + sealed).decode()

    def open(self, name: str, sealed: str) -> str:
        """What was kept under `name`. Raises ValueError when it was not, or not with this key."""
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415 - as above

        try:
            raw = base64.urlsafe_b64decode(sealed.encode())
            return self._cipher.decrypt(raw[:12], raw[12:], name.encode()).decode()
        except InvalidTag:
            raise ValueError("it was sealed with another key, or under another name") from None
