"""The secret of this installation, and the conversation ids that follow from it."""

from __future__ import annotations

import hmac
import os
import re
import secrets
from hashlib import sha256
from pathlib import Path

_LONG_ENOUGH = re.compile(r"[A-Za-z0-9_.-]{16,128}")
_DIFFERENT = 8  # fewer different characters than this is a counter or a placeholder, not something unguessable


def install_secret(home: Path) -> bytes:
    """32 random bytes that stay the same for this installation; made on first use, readable by its owner only."""
    path = home / "web.secret"
    home.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        fresh = home / f"web.secret.{secrets.token_hex(8)}"
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(32))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(fresh, path)  # unlike a rename this never replaces the secret that another process just made
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return path.read_bytes()


def unguessable(client_id: str) -> bool:
    """Whether nobody else would come up with this id: long, and not just a few characters over and over."""
    return bool(_LONG_ENOUGH.fullmatch(client_id)) and len(set(client_id)) >= _DIFFERENT


def conversation_for(secret: bytes, client_id: str) -> str:
    """The conversation that a first message opens: the same for the same client id, however often it is sent."""
    return hmac.new(secret, client_id.encode(), sha256).hexdigest()[:32]
