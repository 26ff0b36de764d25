"""Environment variables: defaults, what is understood, and what is refused in which words."""

from __future__ import annotations

import ipaddress
from pathlib import Path

import pytest

from portal.config import read_settings
from portal.core import create_core
from portal.errors import ConfigError


def test_every_variable_is_optional() -> None:
    settings = read_settings({})
    assert settings.data_dir == Path("var").resolve()
    assert (settings.host, settings.port) == ("127.0.0.1", 5000)
    assert settings.database_url == f"sqlite:///{settings.data_dir}/portal.db"
    assert settings.is_sqlite
    assert settings.redis_url == ""
    assert settings.effective_redis_url == f"unix://{settings.data_dir}/redis/redis.sock"
    assert settings.egress_allow == ()
    assert settings.ca_bundle is None
    assert settings.secret_key == settings.encryption_keys == settings.public_url == ""
    assert settings.trusted_proxies == 0
    assert settings.log_level == "INFO"
    assert (settings.webhook_rate, settings.webhook_storage) == (200, 256)


def test_an_empty_variable_is_none() -> None:
    names = [
        *("PORTAL_DATA_DIR", "PORTAL_HOST", "PORTAL_PORT", "DATABASE_URL", "REDIS_URL"),
        *("PORTAL_EGRESS_ALLOW", "PORTAL_CA_BUNDLE", "PORTAL_SECRET_KEY", "PORTAL_PUBLIC_URL"),
        *("PORTAL_ENCRYPTION_KEYS", "PORTAL_TRUSTED_PROXIES", "PORTAL_LOG_LEVEL"),
    ]
    assert read_settings(dict.fromkeys(names, "")) == read_settings({})


def test_every_variable_is_told_to_users() -> None:
    root = Path(__file__).parent.parent
    source = (root / "portal" / "config.py").read_text()
    told = (root / "docs" / "configuration.md").read_text()
    for word in source.replace('"', " ").split():
        if word.startswith("PORTAL_") or word in ("DATABASE_URL", "REDIS_URL"):
            assert f"`{word.strip('.,:')}`" in told


def test_values_are_understood(tmp_path: Path) -> None:
    bundle = tmp_path / "ca.pem"
    bundle.write_text("")
    settings = read_settings(
        {
            "PORTAL_DATA_DIR": str(tmp_path / "a" / ".." / "b"),
            "PORTAL_HOST": " 0.0.0.0 ",
            "PORTAL_PORT": " 8080 ",
            "REDIS_URL": "rediss://:secret@redis.example:6380/2",
            "PORTAL_EGRESS_ALLOW": "10.20.0.0/16, 192.168.7.10\tfd00::1/8,",
            "PORTAL_CA_BUNDLE": str(bundle),
            "PORTAL_PUBLIC_URL": "https://portal.example.com/",
            "PORTAL_TRUSTED_PROXIES": "2",
            "PORTAL_LOG_LEVEL": "debug",
        }
    )
    assert settings.data_dir == tmp_path / "b"
    assert (settings.host, settings.port) == ("0.0.0.0", 8080)  # noqa: S104
    assert settings.effective_redis_url == "rediss://:secret@redis.example:6380/2"
    assert settings.egress_allow == (
        ipaddress.ip_network("10.20.0.0/16"),
        ipaddress.ip_network("192.168.7.10/32"),
        ipaddress.ip_network("fd00::/8"),
    )
    assert settings.ca_bundle == bundle
    assert settings.public_url == "https://portal.example.com"
    assert settings.trusted_proxies == 2
    assert settings.log_level == "DEBUG"


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_way_to_say_postgresql_means_the_same_driver(scheme: str) -> None:
    settings = read_settings({"DATABASE_URL": f"{scheme}://u:p%40ss@localhost/portal"})
    assert settings.database_url == "postgresql+psycopg://u:p%40ss@localhost/portal"
    assert not settings.is_sqlite


def test_a_sqlite_file_is_an_absolute_path() -> None:
    """A relative one would lie where the command happens to be called."""
    url = "sqlite:////srv/portal.db"
    assert read_settings({"DATABASE_URL": url}).database_url == url


def test_a_socket_in_a_deep_folder_gets_a_short_path_of_its_own(tmp_path: Path) -> None:
    deep = tmp_path / ("x" * 120)
    one = read_settings({"PORTAL_DATA_DIR": str(deep)}).redis_socket
    other = read_settings({"PORTAL_DATA_DIR": str(deep / "y")}).redis_socket
    assert len(str(one)) < 100
    assert one != other


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("PORTAL_PORT", "0", "a number from 1 to 65535, not '0'"),
        ("PORTAL_PORT", "65536", "a number from 1 to 65535"),
        ("PORTAL_PORT", "http", "not 'http'"),
        ("PORTAL_PORT", "-1", "not '-1'"),
        ("PORTAL_TRUSTED_PROXIES", "11", "a number from 0 to 10"),
        ("PORTAL_LOG_LEVEL", "LOUD", "DEBUG, INFO, WARNING, ERROR"),
        ("PORTAL_EGRESS_ALLOW", "10.0.0.0/33", "10.0.0.0/33"),
        ("PORTAL_EGRESS_ALLOW", "rmm.example.com", "rmm.example.com"),
        ("PORTAL_CA_BUNDLE", "/nowhere/ca.pem", "/nowhere/ca.pem, which is not a file"),
        ("PORTAL_PUBLIC_URL", "portal.example.com", "a whole address"),
        ("PORTAL_PUBLIC_URL", "ftp://portal.example.com", "a whole address"),
        ("PORTAL_PUBLIC_URL", "https://", "a whole address"),
        ("PORTAL_PUBLIC_URL", "https://[::1", "a whole address"),
        ("PORTAL_PUBLIC_URL", "https://portal.example.com:port", "a whole address"),
        ("REDIS_URL", "http://redis.example", "redis://, rediss:// or unix://"),
        ("REDIS_URL", "redis://[::1", "redis://, rediss:// or unix://"),
        ("REDIS_URL", "redis://redis.example:port/0", "redis://, rediss:// or unix://"),
        ("DATABASE_URL", "mysql://db.example/portal", "sqlite:////absolute/path.db"),
        ("DATABASE_URL", "portal.db", "sqlite:////absolute/path.db"),
        ("DATABASE_URL", "sqlite://", "sqlite:////absolute/path.db"),
        ("DATABASE_URL", "sqlite:///portal.db", "sqlite:////absolute/path.db"),
        ("DATABASE_URL", "sqlite:///:memory:", "sqlite:////absolute/path.db"),
        ("DATABASE_URL", "postgresql://u:geheim@db.example:port/portal", "postgresql://"),
        ("DATABASE_URL", "postgresql://u:ge:heim@h@db.example:5x/portal", "%40"),
        ("DATABASE_OWNER_URL", "postgresql://u:ge:heim@h@db.example:5x/portal", "%40"),
        ("DATABASE_OWNER_URL", "sqlite:////srv/portal.db", "postgresql://"),
        ("REDIS_URL", "redis://u:geheim@redis.example/0", "redis.example without TLS"),
        ("REDIS_URL", "rediss://redis.example/0?ssl_cert_reqs=none", "PORTAL_UNENCRYPTED"),
        ("DATABASE_URL", "postgresql://u:geheim@db.example/portal", "?sslmode=verify-full"),
        ("DATABASE_URL", "postgresql://u@db.example/portal?sslmode=require", "db.example"),
        ("DATABASE_URL", "postgresql://u@/portal?host=10.1.2.3&sslmode=prefer", "10.1.2.3"),
        ("DATABASE_URL", "postgresql://u@/portal?host=localhost:5&host=db.example:5", "db.example"),
        ("DATABASE_OWNER_URL", "postgresql://u:geheim@db.example/portal", "db.example"),
        ("PORTAL_UNENCRYPTED", "10.0.0.0/33", "names of hosts"),
    ],
)
def test_what_cannot_be_used_is_told_in_one_line(name: str, value: str, told: str) -> None:
    with pytest.raises(ConfigError) as refused:
        read_settings({name: value})
    message = refused.value.message
    assert message.startswith(name)
    assert told in message
    assert "\n" not in message
    assert "heim" not in message


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("REDIS_URL", "rediss://redis.example:6380/0"),
        ("REDIS_URL", "redis://127.0.0.1:6380/0"),
        ("DATABASE_URL", "postgresql://portal@db.example/portal?sslmode=verify-full"),
        ("DATABASE_URL", "postgresql://portal:geheim@localhost:5433/portal"),
        ("REDIS_URL", "unix:///run/redis/redis.sock?db=3"),
        ("DATABASE_URL", "postgresql://portal@/portal?host=/run/postgresql"),
        ("DATABASE_OWNER_URL", "postgres://portal_owner@/portal?host=/run/postgresql"),
        ("PORTAL_PUBLIC_URL", "http://localhost:5000"),
    ],
)
def test_what_is_taken_makes_an_application(tmp_path: Path, name: str, value: str) -> None:
    settings = read_settings({"PORTAL_DATA_DIR": str(tmp_path), name: value})
    assert create_core(settings).extensions["settings"] is settings


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("REDIS_URL", "redis://redis.lan:6380/0"),
        ("DATABASE_URL", "postgresql://portal@10.20.3.4/portal"),
        ("DATABASE_URL", "postgresql://portal@/portal?host=10.20.3.4:5433&host=redis.lan"),
    ],
)
def test_an_operator_says_where_no_tls_is_needed(name: str, value: str) -> None:
    plain = {"PORTAL_UNENCRYPTED": "10.20.0.0/16, Redis.lan"}
    assert read_settings({name: value, **plain})
    for other in ({}, {"PORTAL_UNENCRYPTED": "10.21.0.0/16"}):
        with pytest.raises(ConfigError, match="without TLS"):
            read_settings({name: value, **other})
