"""Counting, the night after each day, what every client had and what came about on it.

`portal.services.assets.daily_counts` reads it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from portal.clock import begin_of, day_of, utc_now
from portal.db import db, transaction
from portal.models import (
    Alert,
    AlertHandling,
    Asset,
    AssetSoftware,
    Client,
    DailyCount,
    Integration,
)
from portal.models.alerts.alert import Severity
from portal.services.alerts.belonging import CLIENT_ID, join_client
from portal.services.assets.listing import MISSING, STATUSES, AssetFilter, asset_conditions
from portal.services.lists.pruning import delete_in_parts
from portal.services.past.days import is_told
from portal.services.past.fleet import count_by_client

KEPT_DAYS = 400
PRUNED_AT_ONCE = 5000
NIGHT = timedelta(hours=12)
"""For so long after a day's end what stands now is what stood then."""
TYPES = ("workstation", "server")
ONE_DAY = timedelta(days=1)

Counts = dict[int | None, dict[str, int]]
"""By client, or None; then by column."""


def count_days(integration_id: int) -> int:
    """Write the rows of each day that is over and has none, and forget the oldest; how many days.

    Of days before last night what the history tells can still be counted: alerts, and how many
    workstations and servers there were, as far back as it goes.
    """
    days = _list_uncounted(integration_id)
    for day in days:
        _count_day(integration_id, day)
    _prune()
    return len(days)


def _list_uncounted(integration_id: int) -> list[date]:
    """From the first day of the connection on."""
    today = day_of(utc_now())
    last, connected_at = db.session.execute(
        select(select(func.max(DailyCount.day)).scalar_subquery(), Integration.created_at).where(
            Integration.id == integration_id
        )
    ).one()
    first = last + ONE_DAY if last is not None else day_of(connected_at)
    first = max(first, today - KEPT_DAYS * ONE_DAY)
    return [first + number * ONE_DAY for number in range((today - first).days)]


def _count_day(integration_id: int, day: date) -> None:
    """A few statements, however many clients there are. A day is counted once: another process
    that does it at the same time waits at the first."""
    begin, end = begin_of(day), begin_of(day + ONE_DAY)
    with transaction() as session:
        session.execute(
            select(Integration.id).where(Integration.id == integration_id).with_for_update()
        )
        if session.scalar(select(DailyCount.id).where(DailyCount.day == day).limit(1)) is not None:
            return
        counts = _no_counts(session)
        names: list[str] = [*_count_alerts(session, counts, begin, end)]
        if utc_now() < end + NIGHT:
            names += [*_count_assets(session, counts), *_count_installs(session, counts)]
        elif is_told(day):
            names += _count_types(counts, end)
        for client_id, known in counts.items():
            values = dict.fromkeys(names, 0) | known
            session.add(DailyCount(day=day, client_id=client_id, **values))


def count_now() -> dict[int, dict[str, int]]:
    """What each client has at this moment, by the columns of assets. Writes nothing."""
    session = db.session()
    counts = _no_counts(session)
    names = [*_count_assets(session, counts), *_count_installs(session, counts)]
    return {
        client_id: dict.fromkeys(names, 0) | known
        for client_id, known in counts.items()
        if client_id is not None
    }


def count_alerts(day: date) -> Counts:
    """Each client's of that day, by the columns of alerts. Writes nothing."""
    session = db.session()
    counts = _no_counts(session)
    names = _count_alerts(session, counts, begin_of(day), begin_of(day + ONE_DAY))
    return {client_id: dict.fromkeys(names, 0) | known for client_id, known in counts.items()}


def keep_counts(day: date, counts: Mapping[int, Mapping[str, int]]) -> None:
    """Of a day on which the portal did not count itself: for the demo alone."""
    with transaction() as session:
        session.add_all(
            DailyCount(day=day, client_id=client_id, **values)
            for client_id, values in counts.items()
        )


def _no_counts(session: Session) -> Counts:
    return {client_id: {} for client_id in (None, *session.scalars(select(Client.id)))}


def _count_assets(session: Session, counts: Counts) -> list[str]:
    wanted = {word: AssetFilter(status=word) for word in (*STATUSES, MISSING)}
    wanted |= {word: AssetFilter(asset_type=word) for word in TYPES}
    wanted |= {"reboots_due": AssetFilter(needs_reboot=True)}
    numbers = [
        func.count().filter(*asset_conditions(shown, utc_now())).label(name)
        for name, shown in wanted.items()
    ]
    for row in session.execute(select(Asset.client_id, *numbers).group_by(Asset.client_id)):
        counts.setdefault(row.client_id, {}).update({n: row._mapping[n] for n in wanted})
    return [*wanted]


def _count_types(counts: Counts, moment: datetime) -> list[str]:
    """Of a night that was missed, from the history of assets."""
    for client_id, found in count_by_client(moment).items():
        if client_id in counts:  # of one that was deleted since, nothing is asked
            counts[client_id].update({word: found[word] for word in TYPES})
    return [*TYPES]


def _count_installs(session: Session, counts: Counts) -> list[str]:
    rows = session.execute(
        select(Asset.client_id, func.count())
        .join(AssetSoftware, AssetSoftware.asset_id == Asset.id)
        .where(AssetSoftware.removed_at.is_(None), Asset.missing_since.is_(None))
        .group_by(Asset.client_id)
    )
    for client_id, number in rows:
        counts.setdefault(client_id, {})["installs"] = number
    return ["installs"]


def _count_alerts(session: Session, counts: Counts, begin: datetime, end: datetime) -> list[str]:
    moments = {"raised": AlertHandling.began_at, "resolved": AlertHandling.over_at}
    for what, moment in moments.items():
        for client_id, severity, number in session.execute(_query_alerts(moment, begin, end)):
            counts.setdefault(client_id, {})[f"{what}_{severity}"] = number
    return [f"{what}_{severity}" for what in moments for severity in Severity]


def _query_alerts(moment: InstrumentedAttribute[Any], begin: datetime, end: datetime) -> Any:
    """By client and severity."""
    query = select(CLIENT_ID, Alert.severity, func.count()).select_from(AlertHandling)
    of_alerts = join_client(query.join(Alert, Alert.id == AlertHandling.alert_id))
    return of_alerts.where(moment >= begin, moment < end).group_by(CLIENT_ID, Alert.severity)


def _prune() -> None:
    old = select(DailyCount.id).where(DailyCount.day < day_of(utc_now()) - KEPT_DAYS * ONE_DAY)
    some = old.limit(PRUNED_AT_ONCE)
    delete_in_parts(DailyCount, lambda: db.session.scalars(some).all())
