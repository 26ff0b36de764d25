"""Key material of the install: from the environment, else made once in the data folder."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import secrets
from collections.abc import Callable
from pathlib import Path

from portal.config import Settings
from portal.errors import ConfigError

KEY_BYTES = 32


def get_secret_key(settings: Settings) -> str:
    """What signs cookies. Changing it signs everyone out and loses nothing else."""
    return settings.secret_key or _read_or_make(settings.data_dir / "keys" / "cookie.key", _new_key)


def get_encryption_keys(settings: Settings) -> dict[str, bytes]:
    """Key id to key, in order; the first one encrypts, all of them decrypt.

    Raises ConfigError when one is not `id:base64` of 32 bytes. Losing them loses every
    stored credential, so the key file belongs in another backup than the database.
    """
    text = settings.encryption_keys or _read_or_make(
        settings.data_dir / "keys" / "encryption.keys", lambda: f"k1:{_new_key()}"
    )
    return dict(_parse_key(word) for word in text.replace(",", " ").split())


def get_digest_key(settings: Settings) -> bytes:
    """What webhook secrets are digested with, derived from the oldest encryption key.

    The oldest, because that one stays when a new one is put before it.
    """
    oldest = list(get_encryption_keys(settings).values())[-1]
    return hmac.new(oldest, b"webhook secrets", hashlib.sha256).digest()


def _parse_key(word: str) -> tuple[str, bytes]:
    key_id, colon, encoded = word.partition(":")
    try:
        key = base64.b64decode(encoded, altchars=b"-_", validate=True)
    except binascii.Error:
        key = b""
    if not colon or not key_id.isalnum() or len(key) != KEY_BYTES:
        raise ConfigError(
            "PORTAL_ENCRYPTION_KEYS must list keys as id:base64 of 32 bytes, separated by commas."
        )
    return key_id, key


def _new_key() -> str:
    return base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()


def _read_or_make(path: Path, make: Callable[[], str]) -> str:
    """The file's text; made with mode 0600 by whichever process comes first."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    if not path.exists():
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(make() + "\n")
        try:
            os.link(draft, path)  # fails when another process was quicker: then theirs holds
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()
