"""What there was on past days: `read_days` reads what was counted each night.

For pictures and reports, of the tenant or of some clients. Who is limited to some clients reads of
these alone.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import func, select

from portal.clock import day_of, utc_now
from portal.db import db
from portal.models import DailyCount
from portal.models.alerts.alert import Severity
from portal.services.assets.listing import MISSING, STATUSES
from portal.services.assets.nightly_counts import TYPES

MONTH_DAYS = 30
_ASSETS = (*STATUSES, MISSING, *TYPES, "reboots_due", "installs")
_ALERTS = tuple(f"{what}_{word}" for what in ("raised", "resolved") for word in Severity)
COLUMNS = (*_ASSETS, *_ALERTS)
"""Of numbers, in a row of a client and a day."""


@dataclass(frozen=True, slots=True)
class Day:
    """One day's counts, summed over the clients that were asked for.

    What stood at its end is None where the night was missed, as nobody looked then; but what types
    there were the history tells, unless it begins later.
    """

    day: date
    by_status: dict[str, int] | None
    """`online`, `offline`, `overdue` and `unknown`, which sum to all assets, and `missing`."""
    by_type: dict[str, int] | None
    """`workstation` and `server`; missing ones aside."""
    reboots_due: int | None
    installs: int | None
    """Of software."""
    raised: dict[str, int]
    resolved: dict[str, int]
    """Alerts of that day by severity."""


def read_days(
    days: int = MONTH_DAYS, until: date | None = None, client_ids: Collection[int] | None = None
) -> list[Day]:
    """The days that were counted, the oldest first, of the last `days` up to `until`; that is
    yesterday, unless it is named. `client_ids`: of these clients alone. One statement.

    A day that nobody counted, such as one before the connection, is not among them.
    """
    last = until or day_of(utc_now()) - timedelta(days=1)
    query = (
        select(
            DailyCount.day,
            *(func.sum(getattr(DailyCount, name)).label(name) for name in COLUMNS),
        )
        .where(DailyCount.day > last - timedelta(days=days), DailyCount.day <= last)
        .group_by(DailyCount.day)
        .order_by(DailyCount.day)
    )
    if client_ids is not None:
        query = query.where(DailyCount.client_id.in_(client_ids))
    return [_make_day(row._mapping) for row in db.session.execute(query)]


def _make_day(row: Any) -> Day:
    counts = {name: int(row[name]) for name in COLUMNS if row[name] is not None}
    return Day(
        day=row["day"],
        by_status={word: counts[word] for word in (*STATUSES, MISSING)}
        if "online" in counts
        else None,
        by_type={word: counts[word] for word in TYPES} if "server" in counts else None,
        reboots_due=counts.get("reboots_due"),
        installs=counts.get("installs"),
        raised={word: counts[f"raised_{word}"] for word in Severity},
        resolved={word: counts[f"resolved_{word}"] for word in Severity},
    )
