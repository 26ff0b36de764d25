"""Key material of the install: from the environment, else made once in the data folder."""

from __future__ import annotations

import base64
import fcntl
import logging
import os
import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from portal.config import Settings
from portal.errors import ConfigError

log = logging.getLogger(__name__)

KEY_BYTES = 32


def get_secret_key(settings: Settings) -> str:
    """What signs cookies. Changing it signs everyone out and loses nothing else."""
    file = settings.data_dir / "keys" / "cookie.key"
    found = settings.secret_key or _read_or_make(file, _new_key)
    if not found:
        raise ConfigError(
            f"{file} is empty. Delete it. The portal then makes a new one, "
            "which signs everyone out."
        )
    return found


def get_encryption_keys(settings: Settings) -> Mapping[str, bytes]:
    """Key id to key, in order; the first one encrypts, all of them decrypt.

    Those of the key file follow its changes. Raises ConfigError when one is not `id:base64` of
    32 bytes. Losing them loses every stored credential, so the key file belongs in another
    backup than the database.
    """
    if settings.encryption_keys:
        return _parse_keys(settings.encryption_keys, "PORTAL_ENCRYPTION_KEYS")
    return KeyFile(settings.data_dir / "keys" / "encryption.keys")


class KeyFile(Mapping[str, bytes]):
    """The keys of a file, as they are now: `portal keys` changes them while everything runs.

    One that was removed meanwhile still opens what this process read before.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        text = _read_or_make(file, lambda: f"k1:{_new_key()}")
        self._keys, self._version = _parse_keys(text, str(file)), _find_version(file)
        self._removed: dict[str, bytes] = {}

    def __getitem__(self, key_id: str) -> bytes:
        return self._now().get(key_id) or self._removed[key_id]

    def __contains__(self, key_id: object) -> bool:
        return key_id in self._now()

    def __iter__(self) -> Iterator[str]:
        return iter(self._now())

    def __len__(self) -> int:
        return len(self._now())

    def put_first(self) -> str:
        """Make a new key that encrypts from here on; its id."""
        with self._locked() as keys:
            numbers = [int(name[1:]) for name in keys if re.fullmatch("k[0-9]{1,9}", name)]
            key_id = f"k{max(numbers, default=0) + 1}"
            self._write({key_id: secrets.token_bytes(KEY_BYTES), **keys})
        return key_id

    def remove(self, key_id: str) -> None:
        with self._locked() as keys:
            self._write({name: key for name, key in keys.items() if name != key_id})

    def _now(self) -> dict[str, bytes]:
        """Those that are known already while the file is away or broken: it made them once."""
        version = _find_version(self._file)
        if version not in (None, self._version):
            try:
                keys = _parse_keys(self._file.read_text(), str(self._file))
                self._removed |= self._keys
                self._keys = keys
            except (OSError, UnicodeDecodeError, ConfigError) as error:
                log.warning("The encryption keys were not reloaded: %s", error)
            self._version = version
        return self._keys

    @contextmanager
    def _locked(self) -> Iterator[dict[str, bytes]]:
        """The keys, which no other process changes meanwhile."""
        with (self._file.parent / "lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield _parse_keys(self._file.read_text(), str(self._file))

    def _write(self, keys: dict[str, bytes]) -> None:
        """Whole or not at all, and on the disk before anything is encrypted with it."""
        words = [f"{name}:{base64.b64encode(key).decode()}" for name, key in keys.items()]
        draft = _write_draft(self._file, " ".join(words) + "\n")
        draft.replace(self._file)
        folder = os.open(self._file.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _find_version(file: Path) -> tuple[int, ...] | None:
    """Another one after every change; None when the file is not there."""
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size


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
        reason = error.strerror if isinstance(error, OSError) else "it is not a text file"
        raise ConfigError(f"{path} cannot be read or created: {reason}.") from error


def _make_once(path: Path, text: str) -> None:
    draft = _write_draft(path, text)
    try:
        os.link(draft, path)  # fails when another process was quicker: then theirs holds
    except FileExistsError:
        pass
    finally:
        draft.unlink()


def _write_draft(path: Path, text: str) -> Path:
    """A file beside `path`, safely on the disk."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    return draft
