"""Environment variables to typed settings. Every variable is read here, once."""

from __future__ import annotations

import hashlib
import ipaddress
import os
import re
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, quote, urlsplit

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from portal.errors import ConfigError
from portal.transport import Unencrypted, check_database, check_redis, read_unencrypted

IpNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network

LARGEST_REQUEST = 1024 * 1024
LONGEST_SOCKET_PATH = 100
EVERY_ADDRESS = ("0.0.0.0", "::")  # noqa: S104  # names that a setting may hold
POSTGRESQL = ("postgres", "postgresql", "postgresql+psycopg")
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
LOG_FORMATS = ("text", "json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings of one install. `docs/configuration.md` describes each for users."""

    data_dir: Path
    host: str
    port: int
    database_url: str
    database_owner_url: str
    """Of the role that owns the tables and changes them. Empty: the other one does it all."""
    redis_url: str
    """Empty: the supervisor starts an embedded server on `redis_socket`."""
    egress_allow: tuple[IpNetwork, ...]
    unencrypted: Unencrypted
    ca_bundle: Path | None
    secret_key: str
    """Empty: made on first use and kept in the data folder."""
    encryption_keys: str
    """`id:base64,id:base64`, the first one encrypts. Empty: kept in the data folder."""
    public_url: str
    trusted_hosts: tuple[str, ...]
    """Names that pages are asked for by. With a dot in front: everything below it."""
    trusted_proxies: int
    log_level: str
    log_format: str
    """`text` or `json`."""
    webhook_rate: int
    """Deliveries a second that a tenant's webhook may send for as long as it likes."""
    webhook_storage: int
    """MiB that the bodies of a tenant's deliveries may take up."""
    audit_days: int
    """How long rows of the audit trail are kept."""

    @property
    def redis_socket(self) -> Path:
        """Of the embedded server. A socket's path can have about a hundred letters only."""
        path = os.fsencode(self.data_dir / "redis" / "redis.sock")
        if len(path) <= LONGEST_SOCKET_PATH:
            return Path(os.fsdecode(path))
        word = hashlib.sha256(path).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"portal-{os.getuid()}-{word}" / "redis.sock"

    @property
    def effective_redis_url(self) -> str:
        return self.redis_url or f"unix://{quote(str(self.redis_socket))}"

    @property
    def own_host(self) -> str:
        """Where this machine reaches the portal; a listener on every address is on loopback too."""
        return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104

    @property
    def address(self) -> str:
        """Where people find the portal, as far as the settings say."""
        own = "localhost" if self.own_host in ("127.0.0.1", "::1") else self.own_host
        host = f"[{own}]" if ":" in own else own  # browsers offer passkeys to names only
        return self.public_url or f"http://{host}:{self.port}"

    @property
    def is_sqlite(self) -> bool:
        return self.database_url.startswith("sqlite")


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Read every setting from `environ`. Raises ConfigError naming the variable at fault."""
    data_dir = Path(environ.get("PORTAL_DATA_DIR") or "./var").expanduser().resolve()
    ca_bundle = environ.get("PORTAL_CA_BUNDLE", "").strip()
    host = environ.get("PORTAL_HOST", "").strip() or "127.0.0.1"
    public_url = _read_public_url(environ)
    unencrypted = read_unencrypted(environ.get("PORTAL_UNENCRYPTED", ""))
    return Settings(
        data_dir=data_dir,
        host=host,
        port=_read_int(environ, "PORTAL_PORT", default=5000, lowest=1, highest=65535),
        database_url=_read_database_url(environ, "DATABASE_URL", unencrypted)
        or f"sqlite:///{data_dir / 'portal.db'}",
        database_owner_url=_read_database_url(environ, "DATABASE_OWNER_URL", unencrypted),
        redis_url=_read_redis_url(environ, unencrypted),
        egress_allow=_read_networks(environ),
        unencrypted=unencrypted,
        ca_bundle=_read_ca_bundle(ca_bundle) if ca_bundle else None,
        secret_key=environ.get("PORTAL_SECRET_KEY", "").strip(),
        encryption_keys=environ.get("PORTAL_ENCRYPTION_KEYS", "").strip(),
        public_url=public_url,
        trusted_hosts=_read_trusted_hosts(environ, host, public_url),
        trusted_proxies=_read_int(environ, "PORTAL_TRUSTED_PROXIES", 0, lowest=0, highest=10),
        log_level=_read_word(environ, "PORTAL_LOG_LEVEL", LOG_LEVELS, "INFO"),
        log_format=_read_word(environ, "PORTAL_LOG_FORMAT", LOG_FORMATS, "text"),
        webhook_rate=_read_int(environ, "PORTAL_WEBHOOK_RATE", 200, lowest=1, highest=100_000),
        webhook_storage=_read_int(
            environ, "PORTAL_WEBHOOK_STORAGE", 256, lowest=1, highest=1_000_000
        ),
        audit_days=_read_int(environ, "PORTAL_AUDIT_DAYS", 400, lowest=1, highest=100_000),
    )


def _read_int(
    environ: Mapping[str, str], name: str, default: int, lowest: int, highest: int
) -> int:
    text = environ.get(name, "").strip()
    if not text:
        return default
    if not re.fullmatch(r"\d{1,9}", text) or not lowest <= int(text) <= highest:
        raise ConfigError(f"{name} must be a number from {lowest} to {highest}, not {text!r}.")
    return int(text)


def _read_database_url(environ: Mapping[str, str], name: str, plain: Unencrypted) -> str:
    url = environ.get(name, "").strip()
    if not url:
        return ""
    scheme, _, rest = url.partition("://")
    if scheme in POSTGRESQL:
        url = f"postgresql+psycopg://{rest}"
        if _is_database_url(url):
            check_database(name, url, plain)
            return url
    if scheme == "sqlite" and rest.startswith("//") and name == "DATABASE_URL":
        return url  # a path that does not depend on where a command is called
    file = " or sqlite:////absolute/path.db" if name == "DATABASE_URL" else ""
    raise ConfigError(
        f"{name} must be like postgresql://portal:password@db.example.com/portal{file}, "
        "with special characters of a password encoded, such as %40 for @."
    )


def _is_database_url(url: str) -> bool:
    try:
        make_url(url)
    except (ArgumentError, ValueError):
        return False
    return True


def _read_redis_url(environ: Mapping[str, str], plain: Unencrypted) -> str:
    url = environ.get("REDIS_URL", "").strip()
    if url and (_split(url) is None or urlsplit(url).scheme not in ("redis", "rediss", "unix")):
        raise ConfigError(
            "REDIS_URL must be an address that starts with redis://, rediss:// or unix://."
        )
    check_redis(url, plain)
    return url


def _read_networks(environ: Mapping[str, str]) -> tuple[IpNetwork, ...]:
    words = re.split(r"[,\s]+", environ.get("PORTAL_EGRESS_ALLOW", "").strip())
    try:
        return tuple(ipaddress.ip_network(word, strict=False) for word in words if word)
    except ValueError as error:
        raise ConfigError(
            "PORTAL_EGRESS_ALLOW must list networks such as 10.20.0.0/16, "
            f"separated by commas: {error}."
        ) from error


def _read_ca_bundle(path: str) -> Path:
    bundle = Path(path).expanduser().resolve()
    if not bundle.is_file():
        raise ConfigError(f"PORTAL_CA_BUNDLE names {bundle}, which is not a file.")
    return bundle


def _read_public_url(environ: Mapping[str, str]) -> str:
    url = environ.get("PORTAL_PUBLIC_URL", "").strip().rstrip("/")
    parts = _split(url)
    if url and (parts is None or parts.scheme not in ("http", "https") or not parts.hostname):
        raise ConfigError(
            "PORTAL_PUBLIC_URL must be a whole address such as https://portal.example.com."
        )
    return url


def _read_trusted_hosts(environ: Mapping[str, str], host: str, public_url: str) -> tuple[str, ...]:
    """Those listed, that of the public address, loopback, and the address we listen on."""
    words = re.split(r"[,\s]+", environ.get("PORTAL_TRUSTED_HOSTS", "").strip().lower())
    own = ("localhost", "127.0.0.1", "::1", urlsplit(public_url).hostname or "")
    bound = () if host in EVERY_ADDRESS else (host.lower(),)
    names = [word for word in (*words, *own, *bound) if word]
    try:
        return tuple(dict.fromkeys(_to_host(name) for name in names))
    except UnicodeError as error:
        raise ConfigError(
            "PORTAL_TRUSTED_HOSTS must list host names such as portal.example.com, without port, "
            "or .example.com for all names below it, separated by commas."
        ) from error


def _to_host(name: str) -> str:
    """As a browser sends it. Raises UnicodeError for what is no name and no address."""
    name = name.strip("[]")
    if ":" in name:
        with suppress(ValueError):
            return str(ipaddress.IPv6Address(name))
    dot = "." if name.startswith(".") else ""
    found = dot + name.removeprefix(".").encode("idna").decode()
    if not re.fullmatch(r"\.?[a-z0-9_-]+(\.[a-z0-9_-]+)*", found):
        raise UnicodeError(name)
    return found


def _split(url: str) -> SplitResult | None:
    """None for brackets that do not match and for a port that is no number."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  # raises
    except ValueError:
        return None
    return parts


def _read_word(environ: Mapping[str, str], name: str, words: tuple[str, ...], default: str) -> str:
    """One of `words`, whichever way it is capitalised."""
    given = environ.get(name, "").strip().lower() or default.lower()
    for word in words:
        if word.lower() == given:
            return word
    raise ConfigError(f"{name} must be one of {', '.join(words)}.")
