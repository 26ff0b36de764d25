"""The chain of the audit trail: each row's code covers the row itself and the code before it.

Who changes, removes or inserts a row would have to make the codes of all that follow, and has no
key for that. One writer at a time may add to a chain, so that it never forks.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Integer, cast, func, literal, select
from sqlalchemy.orm import Session

from portal.models import AuditEntry, InstallAuditEntry
from portal.models.audit.entry import AuditModel, AuditRow

Chain = int | None
"""A tenant's id; None: what belongs to no tenant."""

FORMAT = "v1"
FIRST = ""
"""What stands for the code before the first row."""
LOCK_CLASS = 0x61756474
"""A number of our own among the advisory locks of the database."""
COVERED = (
    *("number", "at", "actor_kind", "actor_id", "actor_name", "address", "source", "request_id"),
    *("action", "target_kind", "target_id", "target_name", "before", "after", "key_id", "previous"),
)
"""All columns but the code, which is made of them."""


def model_of(chain: Chain) -> AuditModel:
    return InstallAuditEntry if chain is None else AuditEntry


def compute_mac(key: bytes, chain: Chain, row: Mapping[str, Any]) -> str:
    """Of the row's values by column, in one text that has only one reading."""
    values = [FORMAT, chain, *(_to_text(row[name]) for name in COVERED)]
    text = json.dumps(values, sort_keys=True, separators=(",", ":"))
    return hmac.digest(key, text.encode("ascii"), "sha256").hex()


def values_of(entry: AuditRow) -> dict[str, Any]:
    return {name: getattr(entry, name) for name in COVERED}


def hold_head(session: Session, chain: Chain) -> tuple[int, str]:
    """Number and code of the last row (0 and "" before the first); nobody else adds one before
    the end of the transaction, so it is to be called last in it: nothing is waited for after it.

    (Adding a row looks at the tenant's own, which others lock without its key for that reason.)
    """
    if session.get_bind().dialect.name == "postgresql":
        lock = (cast(literal(number), Integer) for number in (LOCK_CLASS, (chain or 0) % 2**31))
        session.execute(select(func.pg_advisory_xact_lock(*lock)))
    return read_head(session, chain)


def read_head(session: Session, chain: Chain) -> tuple[int, str]:
    model = model_of(chain)
    query = select(model.number, model.mac).order_by(model.number.desc()).limit(1)
    if chain is not None:
        query = query.where(AuditEntry.tenant_id == chain)
    row = session.execute(query).one_or_none()
    return (row.number, row.mac) if row else (0, FIRST)


def _to_text(value: Any) -> Any:
    """A moment to the microsecond in UTC, as both databases keep it."""
    return value.isoformat(timespec="microseconds") if hasattr(value, "isoformat") else value
