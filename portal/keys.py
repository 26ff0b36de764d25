"""Key material of the install: from the environment, else made once in the data folder."""

from __future__ import annotations

import base64
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
    file = settings.data_dir / "keys" / "cookie.key"
    found = settings.secret_key or _read_or_make(file, _new_key)
    if not found:
        raise ConfigError(f"{file} is empty. Delete it: a new one then signs everyone out.")
    return found


def get_encryption_keys(settings: Settings) -> dict[str, bytes]:
    """Key id to key, in order; the first one encrypts, all of them decrypt.

    Raises ConfigError when one is not `id:base64` of 32 bytes. Losing them loses every
    stored credential, so the key file belongs in another backup than the database.
    """
    if settings.encryption_keys:
        return _parse_keys(settings.encryption_keys, "PORTAL_ENCRYPTION_KEYS")
    file = settings.data_dir / "keys" / "encryption.keys"
    return _parse_keys(_read_or_make(file, lambda: f"k1:{_new_key()}"), str(file))


def get_digest_key(settings: Settings) -> bytes:
    """What webhook secrets are digested with, derived from the oldest encryption key.

    The oldest, because that one stays when a new one is put before it.
    """
    oldest = list(get_encryption_keys(settings).values())[-1]
    return hmac.new(oldest, b"webhook secrets", hashlib.sha256).digest()


def _parse_keys(text: str, where: str) -> dict[str, bytes]:
    pairs = [_parse_key(word) for word in text.replace(",", " ").split()]
    keys = {key_id: key for key_id, key in pairs if key_id and key}
    if not keys or len(keys) != len(pairs):
        raise ConfigError(
            f"{where} must list keys as id:base64 of 32 bytes, separated by commas, each with an "
            "id of its own."
        )
    return keys


def _parse_key(word: str) -> tuple[str, bytes]:
    """Empty where it is no key."""
    key_id, _, encoded = word.partition(":")
    try:
        key = base64.b64decode(encoded, altchars=b"-_", validate=True)
    except ValueError:
        key = b""
    return (key_id, key) if key_id.isalnum() and len(key) == KEY_BYTES else ("", b"")


def _new_key() -> str:
    return base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()


def _read_or_make(path: Path, make: Callable[[], str]) -> str:
    """The file's text; made with mode 0600 by whichever process comes first."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not path.exists():
            _make_once(path, make() + "\n")
        return path.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise ConfigError(f"{path} cannot be read or made: {reason}.") from error


def _make_once(path: Path, text: str) -> None:
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    try:
        os.link(draft, path)  # fails when another process was quicker: then theirs holds
    except FileExistsError:
        pass
    finally:
        draft.unlink()
