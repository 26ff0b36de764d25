"""How fast a tenant's webhook may send: the sum of what all processes take in, on all machines.

The sum is kept in the database, by the transaction that stores the deliveries, so that it costs
no look of its own and holds while Redis is away. From it each process learns for how long it has
to refuse, and until then it refuses without asking anybody. So one batch of each process may
come too early; it counts nevertheless, and all have to wait the longer.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, cast

from flask import current_app
from sqlalchemy import BindParameter, Table, Update, bindparam, case, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningUpdate

from portal.clock import utc_now
from portal.config import Settings
from portal.db import insert, transaction
from portal.errors import Refused
from portal.models import WebhookUsage
from portal.scope import all_tenants

log = logging.getLogger(__name__)

Row = Mapping[str, Any]

BURST_SECONDS = 10.0
"""What a tenant that was silent may send at once, as a time at its rate."""
UNIT_BYTES = 4096
"""A larger body counts as several deliveries: Tactical's own are a tenth of it."""
LONGEST_WAIT_SECONDS = 5.0
"""No process refuses for longer without asking again. A longer wait can only come of a clock that
was set, and is none."""
NOTE_EVERY_SECONDS = 5.0
"""How often a process stores at the least that it refuses; deliveries that it takes in carry the
count along."""
REFUSALS_TIMEOUT_SECONDS = 0.5

USAGE = cast(Table, WebhookUsage.__table__)
"""The bare table, and statements that are made once: they run with each batch."""
_OF_TENANT = USAGE.c.tenant_id == bindparam("of_tenant")


class TooManyDeliveries(Refused):
    """`retry_after`: whole seconds."""

    def __init__(self, rate: int, retry_after: int) -> None:
        super().__init__(
            f"More than {rate} calls arrived in a second. The portal reads this alert from "
            "Tactical when fewer arrive."
        )
        self.retry_after = retry_after


@dataclass(slots=True)
class _Gate:
    """What one process knows of one tenant. Times are in seconds since 1970."""

    closed_until: float = 0.0
    refused: int = 0
    """Those that are not stored yet."""
    noted_at: float = 0.0


@dataclass(slots=True)
class _Gates:
    by_tenant: defaultdict[int, _Gate] = field(default_factory=lambda: defaultdict(_Gate))
    lock: threading.Lock = field(default_factory=threading.Lock)


def check_rate(tenant_id: int) -> None:
    """Raises TooManyDeliveries, counts it, and sees to it that it is reconciled later."""
    gates, now = _gates(), time.time()
    with gates.lock:
        gate = gates.by_tenant[tenant_id]
        wait = gate.closed_until - now
        if not 0 < wait <= LONGEST_WAIT_SECONDS:
            return
        gate.refused += 1
        is_noted = abs(now - gate.noted_at) < NOTE_EVERY_SECONDS
        if not is_noted:
            gate.noted_at = now
    if not is_noted:
        _note(tenant_id)
    raise TooManyDeliveries(get_rate(), math.ceil(wait))


@contextmanager
def charging(rows: Iterable[Row]) -> Iterator[Callable[[Session], None]]:
    """What a transaction that stores the rows, within the block, calls before it does.

    It locks the tenants' sums, in an order, until the commit.
    """
    tenants: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        tenants[row["tenant_id"]].append(row)
    busy_until: dict[int, float] = {}
    with _taken(tenants) as refused:

        def charge(session: Session) -> None:
            for tenant_id in sorted(tenants):
                busy_until[tenant_id] = _charge(session, tenant_id, tenants[tenant_id])
                if refused[tenant_id]:
                    _write_refused(session, tenant_id, refused[tenant_id])

        yield charge
    for tenant_id, until in busy_until.items():
        _gates().by_tenant[tenant_id].closed_until = until - BURST_SECONDS


def _charge(session: Session, tenant_id: int, rows: list[Row]) -> float:
    """Until when the tenant is busy, with the rows."""
    now = time.time()
    given = {
        "of_tenant": tenant_id,
        "now": now,
        "seconds": sum(_count_units(row) for row in rows) / get_rate(),
        "latest": now + BURST_SECONDS + LONGEST_WAIT_SECONDS,
        "added_bytes": sum(row["kept_bytes"] for row in rows),
    }
    # Past the session, which half the work of so small a statement would be.
    until: float | None = session.connection().scalar(_CHARGE, given)
    if until is None:
        new = {"tenant_id": tenant_id, "body_bytes": 0, "busy_until": 0.0}
        made = insert(WebhookUsage).values(**new, refused=0, must_reconcile=False)
        session.execute(made.on_conflict_do_nothing(index_elements=["tenant_id"]))
        until = session.connection().scalar(_CHARGE, given)
    assert until is not None
    return until


def _count_units(row: Row) -> int:
    kept: int = row["kept_bytes"]
    return max(1, math.ceil(kept / UNIT_BYTES))


def _note(tenant_id: int) -> None:
    """Store what was refused. Not worth failing for: the next one tries again."""
    gate = _gates().by_tenant[tenant_id]
    try:
        with (
            all_tenants(),
            _taken([tenant_id]) as refused,
            transaction(REFUSALS_TIMEOUT_SECONDS) as session,
        ):
            _write_refused(session, tenant_id, refused[tenant_id])
    except SQLAlchemyError as error:
        gate.noted_at = 0.0
        log.warning("Refused deliveries of tenant %s are not noted: %s", tenant_id, error)


@contextmanager
def _taken(tenants: Iterable[int]) -> Iterator[dict[int, int]]:
    """The counts of refused ones that the block stores; given back if it does not."""
    gates, taken = _gates(), {}
    with gates.lock:
        for tenant_id in tenants:
            gate = gates.by_tenant[tenant_id]
            taken[tenant_id], gate.refused = gate.refused, 0
    try:
        yield taken
    except BaseException:
        with gates.lock:
            for tenant_id, count in taken.items():
                gates.by_tenant[tenant_id].refused += count
        raise


def _write_refused(session: Session, tenant_id: int, count: int) -> None:
    session.execute(_REFUSE, {"of_tenant": tenant_id, "count": count, "moment": utc_now()})


def get_rate() -> int:
    """Deliveries a second that a tenant's webhook may send for as long as it likes."""
    settings: Settings = current_app.extensions["settings"]
    return settings.webhook_rate


def _gates() -> _Gates:
    gates: _Gates = current_app.extensions.setdefault("delivery_gates", _Gates())
    return gates


def _make_charge() -> ReturningUpdate[float]:
    """Later by the time that the rows take at the rate, but no later than processes wait for."""
    busy, now, latest = USAGE.c.busy_until, _seconds("now"), _seconds("latest")
    until = case((busy > now, busy), else_=now) + _seconds("seconds")
    return (
        update(USAGE)
        .where(_OF_TENANT)
        .values(
            busy_until=case((until < latest, until), else_=latest),
            body_bytes=USAGE.c.body_bytes + bindparam("added_bytes"),
        )
        .returning(busy)
    )


def _make_refusal() -> Update:
    """One storm more, or more of the same while it is not reconciled."""
    is_same, moment = USAGE.c.must_reconcile, bindparam("moment", type_=USAGE.c.refused_from.type)
    return (
        update(USAGE)
        .where(_OF_TENANT)
        .values(
            refused=case((is_same, USAGE.c.refused), else_=0) + bindparam("count"),
            refused_from=case((is_same, USAGE.c.refused_from), else_=moment),
            refused_until=moment,
            must_reconcile=True,
        )
    )


def _seconds(name: str) -> BindParameter[float]:
    return bindparam(name, type_=USAGE.c.busy_until.type)


_CHARGE, _REFUSE = _make_charge(), _make_refusal()
