"""Revisions that encrypt what lay in clear, on databases with rows in them."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import flask_migrate
import pytest
from flask import Flask
from sqlalchemy import Connection, text

from portal import create_app
from portal.config import Settings, read_settings
from portal.db import db
from portal.scope import all_tenants, tenant_scope
from portal.services.events.subscribers import get_address, get_subscriber
from portal.services.webhook.keys import identify_sender
from portal.vault import Vault
from tests.support.keys import KEYS

INTEGRATION = """
    INSERT INTO rmm_integrations (id, tenant_id, provider, state, base_url, auth_mode, username,
    inventory_source, page_size, device_sync_minutes, alert_sync_minutes, alert_history_days,
    delivery_days, server_verified, created_at)
    VALUES (1, 1, 'tacticalrmm', 'active', 'https://api.acme.example', 'api_key', '', 'auto',
    500, 0, 0, 0, 30, true, '2026-01-01')"""
WEBHOOK_KEY = """
    INSERT INTO webhook_keys (id, tenant_id, integration_id, digest, created_at)
    VALUES (1, 1, 1, :digest, '2026-01-01')"""
TOKEN = "T0KEN-IN-AN-ADDRESS"
URLS = {7: f"https://hooks.example:8443/{TOKEN}?a={TOKEN}", 8: "http://10.1.2.3/plain"}
TENANT = "INSERT INTO tenants (id, name, slug, created_at) VALUES (1, 'Acme', 'acme', '2026-01-01')"
SUBSCRIBER = """
    INSERT INTO event_subscribers
    (id, tenant_id, url, types, active, last_event_id, failures, created_at)
    VALUES (:id, 1, :url, '[]', true, 0, 0, '2026-01-01')"""
SECRET = """
    INSERT INTO secrets (tenant_id, owner, owner_id, field, envelope, last_four, updated_at)
    VALUES (1, 'rmm_integrations', 1, :field, 'v1.k1.a.b', :last_four, '2026-01-01')"""


@pytest.fixture
def settings(empty_database_url: str, tmp_path: Path) -> Settings:
    environ = {**KEYS, "DATABASE_URL": empty_database_url, "PORTAL_DATA_DIR": str(tmp_path)}
    return read_settings(environ)


@pytest.fixture
def old(settings: Settings) -> Iterator[Flask]:
    """An install of before, with two subscribers and credentials."""
    app = create_app(settings)
    with app.app_context(), all_tenants():
        flask_migrate.upgrade(revision="0002")
        with db.engine.begin() as connection:
            connection.execute(text(TENANT))
            connection.execute(
                text(SUBSCRIBER), [{"id": id_, "url": url} for id_, url in URLS.items()]
            )
            fields = ("api_key", "value", "password", "totp_secret", "knox_token")
            rows = [{"field": field, "last_four": f"4{field[:3]}"} for field in fields]
            connection.execute(text(SECRET), rows)
        yield app
        db.session.remove()
        db.engine.dispose()


def read(connection: Connection, statement: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in connection.execute(text(statement))]


def test_addresses_are_encrypted_and_can_be_read(old: Flask) -> None:
    flask_migrate.upgrade()
    with db.engine.connect() as connection:
        hosts = read(connection, "SELECT id, host FROM event_subscribers ORDER BY id")
        stored = read(connection, "SELECT * FROM secrets")
        assert TOKEN not in str(read(connection, "SELECT * FROM event_subscribers") + stored)
    assert hosts == [(7, "hooks.example:8443"), (8, "10.1.2.3")]
    with tenant_scope(1):
        assert {id_: get_address(get_subscriber(id_)) for id_ in URLS} == URLS


def test_last_letters_are_wiped_but_those_of_keys(old: Flask) -> None:
    flask_migrate.upgrade()
    with db.engine.connect() as connection:
        kept = read(connection, "SELECT field, last_four FROM secrets WHERE last_four <> ''")
    assert sorted(kept) == [("api_key", "4api"), ("value", "4val")]


def test_nothing_of_it_stays_in_the_file(old: Flask, settings: Settings) -> None:
    if not settings.is_sqlite:
        pytest.skip("PostgreSQL's files are its own business")
    file = Path(db.engine.url.database or "")
    db.engine.dispose()
    assert TOKEN.encode() in file.read_bytes()
    flask_migrate.upgrade()
    files = list(file.parent.glob(f"{file.name}*"))
    left = b"".join(path.read_bytes() for path in files)
    assert not re.search(rb"T0KEN|4pas|4tot", left)


def test_what_broke_off_begins_anew(old: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    seal, sealed = Vault.seal, []

    def break_off(self: Vault, text: str, bound_to: str) -> str:
        sealed.append(bound_to)
        if len(sealed) == 2:
            raise KeyboardInterrupt
        return seal(self, text, bound_to)

    with monkeypatch.context() as patched:
        patched.setattr(Vault, "seal", break_off)
        with pytest.raises(KeyboardInterrupt):
            flask_migrate.upgrade()
    with db.engine.connect() as connection:
        assert dict(read(connection, "SELECT id, url FROM event_subscribers")) == URLS
    flask_migrate.upgrade()
    with tenant_scope(1):
        assert {id_: get_address(get_subscriber(id_)) for id_ in URLS} == URLS


def test_it_can_be_taken_back_with_the_keys(old: Flask) -> None:
    flask_migrate.upgrade()
    flask_migrate.downgrade(revision="0002")
    with db.engine.connect() as connection:
        assert dict(read(connection, "SELECT id, url FROM event_subscribers")) == URLS
        assert read(connection, "SELECT * FROM secrets WHERE field = 'url'") == []


def test_without_the_keys_it_is_not_taken_back(old: Flask, settings: Settings) -> None:
    flask_migrate.upgrade()
    others = create_app(replace(settings, encryption_keys="k9:" + "A" * 43 + "="))
    with others.app_context():
        with pytest.raises(Exception, match="cannot be decrypted"):
            flask_migrate.downgrade(revision="0002")
        db.engine.dispose()


def test_webhook_secrets_of_before_are_known_after(old: Flask) -> None:
    """Their digests were made with a key that hung on the oldest encryption key."""
    oldest = b"0123456789abcdef0123456789abcdef"
    derived = hmac.new(oldest, b"webhook secrets", hashlib.sha256).digest()
    digest = hmac.new(derived, b"secret of acme", hashlib.sha256).hexdigest()
    with db.engine.begin() as connection:
        connection.execute(text(INTEGRATION))
        connection.execute(text(WEBHOOK_KEY), {"digest": digest})
    flask_migrate.upgrade()
    assert identify_sender("acme", "secret of acme") is not None
    assert identify_sender("acme", "another") is None
    db.session.remove()
    with db.engine.connect() as connection:
        settings = dict(read(connection, "SELECT key, value FROM install_settings"))
    assert settings["webhook_digest_key"].startswith("v1.k1.")
