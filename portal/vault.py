"""Secrets in and out: the only code that encrypts and decrypts them.

An envelope is `v1.<key id>.<nonce>.<ciphertext>`, AES-256-GCM, bound by its associated data
to tenant, row and field: moved to another row it does not open.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping
from datetime import datetime

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from flask import current_app
from sqlalchemy import ScalarSelect, select
from sqlalchemy.orm import Session

from portal.clock import utc_now
from portal.db import Base, db, upsert
from portal.errors import SecretUnreadable
from portal.models import Secret
from portal.scope import get_tenant_id

VERSION = "v1"
NONCE_BYTES = 12
LAST_FOUR_SHOWN = frozenset({"api_key", "value"})
"""Random ones, which people compare with what they have: a key of Tactical's, the webhook's secret.
Of a password, a seed or an address nothing is kept in clear."""
SHOW_LAST_FOUR_FROM = 12
"""A shorter secret shows nothing: four of eight characters would be half of it."""


class Vault:
    """Seals and opens envelopes with a ring of keys; the first one seals."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        self.keys = keys

    def seal(self, text: str, bound_to: str) -> str:
        nonce = os.urandom(NONCE_BYTES)
        key_id, key = next(iter(self.keys.items()))
        sealed = AESGCM(key).encrypt(nonce, text.encode(), bound_to.encode())
        return ".".join((VERSION, key_id, _to_text(nonce), _to_text(sealed)))

    def open(self, envelope: str, bound_to: str) -> str:
        """Raises SecretUnreadable when the key is gone or anything was altered."""
        try:
            version, key_id, nonce, sealed = envelope.split(".")
            if version != VERSION:
                raise ValueError(version)
            key = AESGCM(self.keys[key_id])
            return key.decrypt(_to_bytes(nonce), _to_bytes(sealed), bound_to.encode()).decode()
        except (KeyError, ValueError, InvalidTag) as error:
            raise SecretUnreadable(
                "A stored secret cannot be decrypted with the keys of this install. Put the "
                "earlier encryption keys back, or enter the credentials again."
            ) from error


def store_secret(session: Session, owner: Base, field: str, text: str) -> None:
    """Encrypt `text` as `field` of the row `owner`, in place of what was there."""
    table, row_id = _owner_key(owner)
    vault, bound_to = get_vault(), bind_to(get_tenant_id(), table, row_id, field)
    envelope = vault.seal(text, bound_to)
    secret = {
        "tenant_id": get_tenant_id(),
        "owner": table,
        "owner_id": row_id,
        "field": field,
        "envelope": envelope,
        "last_four": _last_four(field, text),
        "updated_at": utc_now(),
    }
    # In one statement: two processes that sign in at once both keep their token.
    unique = ("tenant_id", "owner", "owner_id", "field")
    statement = upsert(Secret, unique, ("envelope", "last_four", "updated_at"))
    session.execute(statement, [secret])
    if read_key_id(envelope) not in vault.keys:
        # It was removed since, when nothing hung on it. Now that we wrote, nobody removes one.
        session.execute(statement, [secret | {"envelope": vault.seal(text, bound_to)}])


def find_secret(owner: Base, field: str) -> str | None:
    """The plain text, or None when there is none. Raises SecretUnreadable."""
    table, row_id = _owner_key(owner)
    secret = _find_row(db.session(), table, row_id, field)
    if secret is None:
        return None
    return get_vault().open(secret.envelope, bind_to(get_tenant_id(), table, row_id, field))


def forget_secrets(session: Session, owner: Base, *fields: str) -> None:
    """Delete the named secrets of a row, or all of them when none is named."""
    table, row_id = _owner_key(owner)
    query = select(Secret).where(Secret.owner == table, Secret.owner_id == row_id)
    for secret in session.scalars(query.where(Secret.field.in_(fields)) if fields else query):
        session.delete(secret)
    session.flush()


def list_last_fours(owner: Base) -> dict[str, str]:
    """Field to last four characters, or to "" where they are not shown, of each of its secrets."""
    table, row_id = _owner_key(owner)
    rows = db.session.execute(
        select(Secret.field, Secret.last_four).where(
            Secret.owner == table, Secret.owner_id == row_id
        )
    )
    return {row.field: row.last_four for row in rows}


def last_four_of(owner: type[Base], field: str) -> ScalarSelect[str]:
    """Of one field of each row of the table, in SQL: NULL where the row has no such secret."""
    row_id = owner.__table__.c.id
    return (
        select(Secret.last_four)
        .where(
            Secret.owner == owner.__tablename__, Secret.owner_id == row_id, Secret.field == field
        )
        .scalar_subquery()
    )


def list_change_times(owner: Base) -> dict[str, datetime]:
    """Field to when it was stored last, for every secret that the row has."""
    table, row_id = _owner_key(owner)
    rows = db.session.execute(
        select(Secret.field, Secret.updated_at).where(
            Secret.owner == table, Secret.owner_id == row_id
        )
    )
    return {row.field: row.updated_at for row in rows}


def _last_four(field: str, text: str) -> str:
    is_shown = field in LAST_FOUR_SHOWN and len(text) >= SHOW_LAST_FOUR_FROM
    return text[-4:] if is_shown else ""


def _find_row(session: Session, table: str, row_id: int, field: str) -> Secret | None:
    return session.scalars(
        select(Secret)
        .where(Secret.owner == table, Secret.owner_id == row_id, Secret.field == field)
        .execution_options(populate_existing=True)
    ).one_or_none()


def _owner_key(owner: Base) -> tuple[str, int]:
    row_id: int = owner.id  # type: ignore[attr-defined]
    return owner.__tablename__, row_id


def bind_to(tenant_id: int, table: str, row_id: int, field: str) -> str:
    """What an envelope belongs to, and opens for alone."""
    return f"{tenant_id}/{table}/{row_id}/{field}"


def read_key_id(envelope: str) -> str:
    return envelope.split(".")[1]


def get_vault() -> Vault:
    vault = current_app.extensions["vault"]
    assert isinstance(vault, Vault)
    return vault


def _to_text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode()


def _to_bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text)
