"""Keys are rotated to the end while everything runs, and however often it is interrupted."""

from __future__ import annotations

import base64
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from portal import create_app
from portal.config import Settings
from portal.db import db, transaction
from portal.errors import InvalidInput, NotFound, Refused, SecretUnreadable
from portal.models import (
    Authenticator,
    Client,
    InstallAuditEntry,
    Integration,
    Secret,
    Tenant,
    WebhookKey,
)
from portal.scope import all_tenants, tenant_scope
from portal.services import key_rotation
from portal.services.accounts.second_factors.totp import read_secret
from portal.services.accounts.tenants import add_tenant
from portal.services.accounts.users import add_user
from portal.services.integrations.connect import ConnectionSettings, save_connection
from portal.services.integrations.current import get_integration
from portal.services.key_rotation import remove_key, rotate_keys
from portal.services.key_uses import KeyUse, list_keys
from portal.services.webhook import keys
from portal.services.webhook.keys import identify_sender, reveal
from portal.vault import find_secret, get_vault, store_secret
from tests.support.second_factors import set_up_app

pytestmark = pytest.mark.mainly("postgresql")

MANY = 160
PASSWORD = "correct horse battery"
API_KEY = "THE-API-KEY-OF-ACME"
ACME = ConnectionSettings(base_url="https://api.acme.example", api_key=API_KEY)
OTHER = ConnectionSettings(base_url="https://api.other.example", api_key=API_KEY)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """With keys in the data folder."""
    return replace(settings, encryption_keys="")


@pytest.fixture
def acme(app: Flask) -> Iterator[int]:
    """The id of a tenant, in its scope."""
    with app.app_context():
        tenant = add_tenant("Acme MSP", "acme")
        with tenant_scope(tenant.id):
            save_connection(ACME)
            yield tenant.id
        db.session.remove()


def make_many(number: int = MANY) -> None:
    """Clients with a secret each, in the scope of a tenant."""
    with transaction() as session:
        clients = [Client(name=f"Client {n}") for n in range(number)]
        session.add_all(clients)
        session.flush()
        for client in clients:
            store_secret(session, client, "password", f"of {client.name}")


def read_many() -> list[str | None]:
    return [find_secret(client, "password") for client in db.session.scalars(select(Client))]


def all_of(number: int = MANY) -> set[str]:
    return {f"of Client {n}" for n in range(number)}


@contextmanager
def at_work(other: Flask, tenant_id: int) -> Iterator[None]:
    """The block is what another process does for the tenant."""
    with other.app_context(), tenant_scope(tenant_id):
        try:
            yield
        finally:
            db.session.remove()
            for engine in db.engines.values():
                engine.dispose()


# --- One rotation -----------------------------------------------------------------------


def test_everything_hangs_on_the_new_key_and_the_old_one_goes(
    app: Flask, acme: int, settings: Settings
) -> None:
    make_many(250)
    secret = reveal()
    user = add_user("anna@acme.example", PASSWORD, "acme", "admin")
    phone, _codes = set_up_app(user.id, PASSWORD)
    assert [(use.key_id, use.envelopes) for use in list_keys()] == [("k1", 255)]

    rotation = rotate_keys()
    assert (rotation.key_id, rotation.made, rotation.moved) == ("k2", True, 255)
    assert (rotation.unreadable, rotation.digests) == (0, 1)
    # And the key of the audit trail's rows that are written from now on.
    assert list_keys() == [KeyUse("k2", 256, encrypts=True), KeyUse("k1", 0)]

    remove_key("k1")
    assert list_keys() == [KeyUse("k2", 256, encrypts=True)]
    with at_work(create_app(settings), acme):
        assert set(read_many()) == all_of(250)
        assert find_secret(get_integration(), "api_key") == API_KEY
        assert identify_sender("acme", secret) is not None
        row = db.session.scalars(select(Authenticator)).one()
        assert read_secret(row, "").secret == phone.secret


def test_a_process_that_runs_sees_the_new_key(app: Flask, acme: int, settings: Settings) -> None:
    other = create_app(settings)
    make_many(3)
    rotate_keys()
    remove_key("k1")
    with at_work(other, acme):
        assert set(read_many()) == all_of(3)
        with transaction() as session:
            store_secret(session, get_integration(), "password", "new")
        envelopes = db.session.scalars(select(Secret.envelope)).all()
        assert {envelope.split(".")[1] for envelope in envelopes} == {"k2"}


def test_times_and_last_letters_stay(acme: int) -> None:
    columns = (Secret.id, Secret.field, Secret.last_four, Secret.updated_at)
    before = db.session.execute(select(*columns)).all()
    rotate_keys()
    assert db.session.execute(select(*columns)).all() == before


def test_what_cannot_be_read_is_counted_and_left(acme: int) -> None:
    make_many(5)
    reveal()
    with transaction() as session:
        broken = select(func.min(Secret.id)).where(Secret.field == "password").scalar_subquery()
        session.execute(update(Secret).where(Secret.id == broken).values(envelope="v1.k0.a.b"))
        session.execute(update(Secret).where(Secret.field == "value").values(envelope="nonsense"))
    rotation = rotate_keys()
    assert rotation.unreadable == 2
    assert rotation.digests is None  # that of the lost webhook secret still lets it in
    lost = [use for use in list_keys() if not use.present]
    assert sorted((use.key_id, use.envelopes) for use in lost) == [("k0", 1), ("sense", 1)]
    remove_key("k1")


def test_what_is_still_needed_is_not_removed(acme: int) -> None:
    get_vault().keys.put_first()  # type: ignore[attr-defined]
    with pytest.raises(Refused, match="2 secrets are encrypted with k1"):
        remove_key("k1")
    with pytest.raises(InvalidInput, match="k2 is the current encryption key"):
        remove_key("k2")
    with pytest.raises(NotFound, match=r"no key 'k9'. Choose one of these: k2, k1"):
        remove_key("k9")
    assert find_secret(get_integration(), "api_key") == API_KEY


def test_keys_of_the_environment_are_rotated_by_it(
    app: Flask, acme: int, settings: Settings
) -> None:
    """The portal cannot change its own environment; it says what to do."""
    words = [f"{name}:{base64.b64encode(key).decode()}" for name, key in get_vault().keys.items()]
    one = create_app(replace(settings, encryption_keys=words[0]))
    with at_work(one, acme), pytest.raises(Refused, match="put a new key before it"):
        rotate_keys()
    new = "new:" + base64.b64encode(b"n" * 32).decode()
    two = create_app(replace(settings, encryption_keys=f"{new},{words[0]}"))
    with at_work(two, acme):
        with pytest.raises(Refused, match="portal keys rotate"):
            remove_key("k1")
        rotation = rotate_keys()
        assert (rotation.key_id, rotation.made, rotation.moved) == ("new", False, 2)
        with pytest.raises(Refused, match="Remove it from PORTAL_ENCRYPTION_KEYS"):
            remove_key("k1")
    after = create_app(replace(settings, encryption_keys=new))
    with at_work(after, acme):
        assert find_secret(get_integration(), "api_key") == API_KEY


# --- Interrupted, and with others at work -----------------------------------------------

ROTATE = """
import os, sys
from portal import create_app
from portal.config import read_settings
from portal.services import key_rotation
from portal.vault import Vault
key_rotation.AT_ONCE = 20
seal, sealed = Vault.seal, []
def slow(self, text, bound_to):
    sealed.append(bound_to)
    if len(sealed) == int(sys.argv[1]):
        print("there", flush=True)
        sys.stdin.read()  # until somebody kills us
    return seal(self, text, bound_to)
Vault.seal = slow
with create_app(read_settings(os.environ)).app_context():
    key_rotation.rotate_keys()
"""


def kill_a_rotation(settings: Settings, after: int) -> None:
    """With SIGKILL, in the middle of a batch."""
    process = subprocess.Popen(
        [sys.executable, "-c", ROTATE, str(after)],
        env={
            "PATH": os.environ["PATH"],
            "DATABASE_URL": settings.database_url,
            "PORTAL_SECRET_KEY": settings.secret_key,
            "PORTAL_DATA_DIR": str(settings.data_dir),
        },
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "there\n"
        process.send_signal(signal.SIGKILL)


def recorded() -> list[tuple[str, int | None]]:
    """What the trail of the install says of keys: as far as it was committed, it was recorded."""
    rows = db.session.scalars(select(InstallAuditEntry).order_by(InstallAuditEntry.id))
    said = [row for row in rows if row.action.startswith("keys.")]
    return [(row.action, (row.after or {}).get("secrets")) for row in said]


@pytest.mark.mainly("sqlite", "postgresql")
def test_a_killed_rotation_goes_on_where_it_was(app: Flask, acme: int, settings: Settings) -> None:
    make_many()
    db.session.rollback()
    kill_a_rotation(settings, after=52)
    uses = {use.key_id: use.envelopes for use in list_keys()}
    assert list(uses) == ["k2", "k1"]
    # Two batches, a key, and that of the trail; the third batch was rolled back.
    assert uses == {"k2": 42, "k1": MANY - 39}
    assert set(read_many()) == all_of()
    assert recorded()[0] == ("keys.rotated", None)
    assert [secrets for _action, secrets in recorded()[1:]] == [1, 20, 20]
    db.session.rollback()

    rotation = rotate_keys()
    assert (rotation.key_id, rotation.made, rotation.moved) == ("k2", False, MANY - 39)
    assert sum(secrets or 0 for _action, secrets in recorded()) == MANY + 2
    remove_key("k1")
    with at_work(create_app(settings), acme):
        assert set(read_many()) == all_of()


@pytest.mark.mainly("sqlite", "postgresql")
def test_nothing_that_others_write_meanwhile_is_lost(
    app: Flask, acme: int, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two processes store secrets of their own while one rotates twice."""
    make_many(100)
    monkeypatch.setattr(key_rotation, "AT_ONCE", 10)
    secret = reveal()
    ids = list(db.session.scalars(select(Client.id).order_by(Client.id)))
    db.session.rollback()
    is_over, stored, mistakes = threading.Event(), dict[int, str](), list[Exception]()

    def write(other: Flask, mine: list[int]) -> None:
        with at_work(other, acme):
            number = 0
            while not is_over.is_set():
                number += 1
                client_id, text = mine[number % len(mine)], f"number {number}"
                try:
                    with transaction() as session:
                        client = session.get_one(Client, client_id)
                        store_secret(session, client, "password", text)
                    stored[client_id] = text
                    if identify_sender("acme", secret) is None:
                        raise AssertionError("The webhook's secret was not known.")
                except Exception as mistake:
                    mistakes.append(mistake)
                    return

    # Made one after the other: Python 3.11 miscounts when two threads parse code at once, and
    # Werkzeug does for each route.
    apps = [create_app(settings) for _ in range(2)]
    threads = [threading.Thread(target=write, args=(apps[n], ids[n::2])) for n in range(2)]
    for thread in threads:
        thread.start()
    try:
        for number in range(2, 4):
            assert rotate_keys().key_id == f"k{number}"
            while any(use.envelopes for use in list_keys() if not use.encrypts):
                assert not rotate_keys().made
            remove_key(f"k{number - 1}")
    finally:
        is_over.set()
        for thread in threads:
            thread.join()
    assert mistakes == []
    assert len(stored) > 10
    db.session.rollback()
    assert [use.key_id for use in list_keys()] == ["k3"]
    for client in db.session.scalars(select(Client)):
        expected = stored.get(client.id, f"of {client.name}")
        assert find_secret(client, "password") == expected


def test_two_rotations_at_once_both_end(acme: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second makes a newer key while the first moves to its own."""
    make_many(30)
    monkeypatch.setattr(key_rotation, "AT_ONCE", 10)
    move, others = key_rotation._move, [get_vault().keys]

    def interfere(rows: Sequence[key_rotation.Envelope], key_id: str) -> int:
        if others:
            others.pop().put_first()  # type: ignore[attr-defined]
        return move(rows, key_id)

    monkeypatch.setattr(key_rotation, "_move", interfere)
    assert rotate_keys().key_id == "k3"
    assert list_keys()[1:] == [KeyUse("k2", 0), KeyUse("k1", 0)]


def test_who_sealed_with_a_key_that_was_removed_meanwhile_seals_again(
    acme: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault = get_vault()
    old = vault.seal("typed", f"{acme}/rmm_integrations/{get_integration().id}/password")
    rotate_keys()
    remove_key("k1")
    seal, first = vault.seal, [old]
    monkeypatch.setattr(
        vault, "seal", lambda text, bound: first.pop() if first else seal(text, bound)
    )
    with transaction() as session:
        store_secret(session, get_integration(), "password", "typed")
    assert find_secret(get_integration(), "password") == "typed"


# --- Digests of webhook secrets ---------------------------------------------------------


def test_digests_hang_on_no_encryption_key(acme: int) -> None:
    secret = reveal()
    digests = set(db.session.scalars(select(WebhookKey.digest)))
    for number in range(1, 4):
        rotate_keys()
        remove_key(f"k{number}")
        keys._kept().senders.clear()
        assert identify_sender("acme", secret) is not None
        assert identify_sender("acme", "another") is None
        db.session.rollback()
        digests |= set(db.session.scalars(select(WebhookKey.digest)))
    assert len(digests) == 4  # their key was renewed each time


def test_without_the_key_nobody_is_let_in_and_nobody_is_told_that_the_secret_is_wrong(
    app: Flask, acme: int, settings: Settings
) -> None:
    secret = reveal()
    lost = create_app(replace(settings, encryption_keys="k1:" + "A" * 43 + "="))
    answer = lost.test_client().post(
        "/api/webhooks/tacticalrmm?tenant=acme", headers={"X-Alga-Webhook-Secret": secret}
    )
    assert answer.status_code == 503
    with at_work(lost, acme), pytest.raises(SecretUnreadable):
        identify_sender("acme", secret)


def test_the_first_of_two_that_make_a_webhook_secret_makes_the_key(app: Flask, acme: int) -> None:
    add_tenant("Other MSP", "other")
    made: list[str] = []

    def make(slug: str) -> None:
        with app.app_context():
            tenant = db.session.scalar(select(Tenant).where(Tenant.slug == slug))
            assert tenant is not None
            with tenant_scope(tenant.id):
                if slug == "other":
                    save_connection(OTHER)
                made.append(reveal())
            db.session.remove()

    threads = [threading.Thread(target=make, args=(slug,)) for slug in ("acme", "other")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 2
    with all_tenants():
        assert db.session.scalar(select(func.count()).select_from(Integration)) == 2
    known = [identify_sender(slug, secret) for slug in ("acme", "other") for secret in made]
    assert len([sender for sender in known if sender is not None]) == 2
