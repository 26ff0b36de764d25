"""Encryption keys, and what hangs on each."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from portal.db import db
from portal.models import Authenticator, InstallSetting, Secret
from portal.scope import all_tenants
from portal.services.audit import keys as audit_keys
from portal.services.webhook import digests as webhook_digests
from portal.vault import VERSION, get_vault

IS_SEALED = or_(
    InstallSetting.key == webhook_digests.SETTING,
    InstallSetting.key.startswith(audit_keys.PREFIX, autoescape=True),
)
"""Of the install's settings: keys that no tenant owns."""
_PLACES: tuple[tuple[InstrumentedAttribute[str], ColumnElement[bool] | None], ...] = (
    (Secret.envelope, None),
    (Authenticator.envelope, None),
    (InstallSetting.value, IS_SEALED),
)


@dataclass(frozen=True, slots=True)
class KeyUse:
    """`envelopes`: how many hang on it. A key that is not `present` is known by them alone."""

    key_id: str
    envelopes: int
    encrypts: bool = False
    present: bool = True


def list_keys() -> list[KeyUse]:
    """Those of this install in their order, then others that envelopes name."""
    with all_tenants():
        counts = count_envelopes(db.session())
    present = list(get_vault().keys)
    uses = [KeyUse(key_id, counts.pop(key_id, 0), key_id == present[0]) for key_id in present]
    return uses + [KeyUse(key_id, n, present=False) for key_id, n in sorted(counts.items())]


def count_envelopes(session: Session) -> dict[str, int]:
    """Key id to envelopes, over the secrets of all tenants, of users and of the install."""
    counts: dict[str, int] = {}
    for column, only in _PLACES:
        key_id = select_key_id(column)
        query = select(key_id, func.count()).group_by(key_id)
        for name, number in session.execute(query if only is None else query.where(only)):
            counts[name] = counts.get(name, 0) + number
    return counts


def select_key_id(envelope: InstrumentedAttribute[str]) -> ColumnElement[str]:
    """The second word, in the words of both databases; all that is left where no word ends."""
    rest = func.substr(envelope, len(VERSION) + 2)
    find = func.strpos if db.engine.dialect.name == "postgresql" else func.instr
    return func.substr(rest, 1, find(rest.concat("."), ".") - 1)
