"""Secrets at rest: what opens, what does not, and what is ever shown."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from sqlalchemy import select, update

from portal.db import Base, db, transaction
from portal.errors import SecretUnreadable
from portal.models import Client, Secret, Tenant
from portal.scope import all_tenants, tenant_scope
from portal.vault import Vault, find_secret, forget_secrets, list_last_fours, store_secret

KEY, OTHER_KEY = b"k" * 32, b"o" * 32
TEXT = "S3CRET-API-KEY-OF-ACME"
OURS, THEIRS = 1, 2


@pytest.fixture
def owners(app: Flask) -> Iterator[list[Base]]:
    """Two rows of one tenant and one of another; inside the first one's scope."""
    with app.app_context():
        with all_tenants(), transaction() as session:
            session.add_all(Tenant(id=n, slug=f"t{n}", name="T") for n in (OURS, THEIRS))
            session.flush()
            owners = [
                Client(tenant_id=tenant_id, name=name)
                for tenant_id, name in ((OURS, "a"), (OURS, "b"), (THEIRS, "a"))
            ]
            session.add_all(owners)
        with tenant_scope(OURS):
            yield list(owners)
        db.session.remove()


def _store(owner: Base, field: str, text: str) -> None:
    with transaction() as session:
        store_secret(session, owner, field, text)


def _envelopes() -> list[str]:
    with all_tenants():
        return list(db.session.scalars(select(Secret.envelope).order_by(Secret.id)))


# --- The envelope -----------------------------------------------------------------------


def test_what_was_sealed_opens() -> None:
    vault = Vault({"k1": KEY})
    for text in (TEXT, "", "ключ 🔑", "x" * 5000):
        assert vault.open(vault.seal(text, "here"), "here") == text


def test_the_same_text_is_never_sealed_alike() -> None:
    vault = Vault({"k1": KEY})
    assert len({vault.seal(TEXT, "here") for _ in range(50)}) == 50


def test_an_envelope_names_its_version_and_key() -> None:
    assert Vault({"k7": KEY, "k1": OTHER_KEY}).seal(TEXT, "here").startswith("v1.k7.")


def test_the_old_key_still_opens_after_a_new_one_was_put_before_it() -> None:
    old, ring = Vault({"k1": KEY}), Vault({"k2": OTHER_KEY, "k1": KEY})
    assert ring.open(old.seal(TEXT, "here"), "here") == TEXT
    with pytest.raises(SecretUnreadable):
        old.open(ring.seal(TEXT, "here"), "here")


def test_a_key_of_the_same_name_but_other_bytes_does_not_open() -> None:
    with pytest.raises(SecretUnreadable):
        Vault({"k1": OTHER_KEY}).open(Vault({"k1": KEY}).seal(TEXT, "here"), "here")


def test_anything_altered_does_not_open() -> None:
    vault = Vault({"k1": KEY})
    sealed = vault.seal(TEXT, "here")
    version, key_id, nonce, box = sealed.split(".")
    for altered in (
        f"v2.{key_id}.{nonce}.{box}",
        f"{version}.k2.{nonce}.{box}",
        f"{version}.{key_id}.AAAAAAAAAAAAAAAA.{box}",
        f"{version}.{key_id}..{box}",
        f"{version}.{key_id}.{nonce}.{box[:-8]}AAAAAAA=",
        f"{version}.{key_id}.{nonce}",
        f"{sealed}.more",
        "",
        "plain text",
        "v1.k1.é.é",
    ):
        with pytest.raises(SecretUnreadable) as refused:
            vault.open(altered, "here")
        assert TEXT not in str(refused.value)
    with pytest.raises(SecretUnreadable):
        vault.open(sealed, "there")


# --- The table --------------------------------------------------------------------------


def test_a_secret_goes_in_and_comes_out(owners: list[Base]) -> None:
    _store(owners[0], "api_key", TEXT)
    _store(owners[0], "password", "short")
    assert find_secret(owners[0], "api_key") == TEXT
    assert find_secret(owners[0], "password") == "short"
    assert find_secret(owners[0], "totp_secret") is None
    assert find_secret(owners[1], "api_key") is None


def test_the_table_never_holds_the_plain_text(owners: list[Base]) -> None:
    _store(owners[0], "api_key", TEXT)
    with all_tenants():
        row = db.session.execute(select(*Secret.__table__.columns)).one()
    assert TEXT not in repr(tuple(row))
    assert TEXT[:-4] not in repr(tuple(row))


def test_a_new_value_takes_the_place_of_the_old(owners: list[Base]) -> None:
    _store(owners[0], "api_key", TEXT)
    _store(owners[0], "api_key", "ANOTHER-KEY-1234")
    assert find_secret(owners[0], "api_key") == "ANOTHER-KEY-1234"
    assert len(_envelopes()) == 1
    assert list_last_fours(owners[0]) == {"api_key": "1234"}


@pytest.mark.parametrize(
    ("text", "shown"), [("x" * 8 + "abc", ""), ("x" * 8 + "abcd", "abcd"), ("", "")]
)
def test_four_letters_are_shown_of_twelve_at_least(
    owners: list[Base], text: str, shown: str
) -> None:
    _store(owners[0], "api_key", text)
    assert list_last_fours(owners[0]) == {"api_key": shown}


@pytest.mark.parametrize(
    "field", ["password", "totp_secret", "totp_code", "knox_token", "signing_secret", "url", "new"]
)
def test_of_other_secrets_than_keys_no_letter_is_kept_in_clear(
    owners: list[Base], field: str
) -> None:
    _store(owners[0], field, TEXT)
    assert list_last_fours(owners[0]) == {field: ""}
    assert find_secret(owners[0], field) == TEXT


def test_an_envelope_moved_elsewhere_does_not_open(owners: list[Base]) -> None:
    """To another row, another field, or another tenant's row."""
    _store(owners[0], "api_key", TEXT)
    _store(owners[0], "password", "other")
    _store(owners[1], "api_key", "other")
    with tenant_scope(THEIRS):
        _store(owners[2], "api_key", "other")
    stolen = _envelopes()[0]
    with all_tenants(), transaction() as session:
        session.execute(update(Secret).values(envelope=stolen))
    assert find_secret(owners[0], "api_key") == TEXT
    for owner, field in ((owners[0], "password"), (owners[1], "api_key")):
        with pytest.raises(SecretUnreadable, match="enter the credentials again"):
            find_secret(owner, field)
    with tenant_scope(THEIRS), pytest.raises(SecretUnreadable):
        find_secret(owners[2], "api_key")


def test_another_tenants_secret_is_not_there(owners: list[Base]) -> None:
    with tenant_scope(THEIRS):
        _store(owners[2], "api_key", TEXT)
        db.session.refresh(owners[2])
        db.session.expunge(owners[2])
    assert find_secret(owners[2], "api_key") is None
    assert list_last_fours(owners[2]) == {}
    with transaction() as session:
        forget_secrets(session, owners[2])
    with tenant_scope(THEIRS):
        assert find_secret(owners[2], "api_key") == TEXT


def test_secrets_are_forgotten_by_name_or_all_at_once(owners: list[Base]) -> None:
    for field in ("api_key", "password", "totp_secret"):
        _store(owners[0], field, TEXT)
    _store(owners[1], "api_key", TEXT)
    with transaction() as session:
        forget_secrets(session, owners[0], "password", "totp_secret", "unknown")
    assert list_last_fours(owners[0]).keys() == {"api_key"}
    with transaction() as session:
        forget_secrets(session, owners[0])
    assert list_last_fours(owners[0]) == {}
    assert find_secret(owners[1], "api_key") == TEXT


def test_two_processes_that_store_at_once_do_not_fail(app: Flask, owners: list[Base]) -> None:
    """As two that sign in to Tactical at the same moment do with their tokens."""
    owner_id = db.session.scalar(select(Client.id).where(Client.name == "a"))
    db.session.rollback()

    def keep(number: int) -> None:
        with app.app_context(), tenant_scope(OURS), transaction() as session:
            owner = session.get_one(Client, owner_id)
            store_secret(session, owner, "knox_token", f"token {number}")

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(keep, range(12)))
    assert len(_envelopes()) == 1
    assert str(find_secret(owners[0], "knox_token")).startswith("token ")
