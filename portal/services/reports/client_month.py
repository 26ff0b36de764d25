"""The month of a client: its fleet, who came and went, alerts and software, each number with the
list behind it, and all of it from what was noted at the time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import CompoundSelect, case, func, or_, select, union_all
from sqlalchemy.orm import aliased

from portal.clock import day_of, utc_now
from portal.db import db, is_among
from portal.models import Alert, AlertHandling, Client
from portal.models.alerts.alert import Severity
from portal.scope import allowed_clients, beyond_clients
from portal.services.alerts.belonging import is_of_organization
from portal.services.clients import get_client, list_client_names
from portal.services.past.days import Month, find_history_start, read_month
from portal.services.past.fleet import count_types
from portal.services.past.records import Record, load_records
from portal.services.past.walking import PastAsset
from portal.services.reports.software_changes import SoftwareLine, list_software
from portal.services.reports.stays import Cause, Stay, list_stays

SEVERITIES = (Severity.ERROR, Severity.WARNING, Severity.INFO)
_ALERT = (Alert.id, Alert.asset_id, Alert.severity, Alert.alert_type, Alert.message)


@dataclass(frozen=True, slots=True)
class Line:
    """An asset that came or went. `other`: where it came from or went to, as far as whoever reads
    it may know. `asset_id`: of the page of it that there is."""

    asset: PastAsset
    at: datetime
    cause: Cause
    other: str | None
    asset_id: int | None


@dataclass(frozen=True, slots=True)
class AlertLine:
    """`asset` is None for a computer that is no asset."""

    asset: str | None
    asset_id: int | None
    alert_id: int
    severity: str
    alert_type: str
    message: str | None
    triggered_at: datetime
    resolved_at: datetime | None


@dataclass(frozen=True, slots=True)
class ClientMonth:
    """`until` is the end of the month, or now while it lasts. `begin`: since when the history
    tells of the month, where not since its beginning."""

    client: Client
    month: Month
    until: datetime
    begin: datetime | None
    has_history: bool
    before: list[PastAsset]
    fleet: list[PastAsset]
    added: list[Line]
    gone: list[Line]
    passed: list[Line]
    """Came and went within the month: as they went."""
    alerts: list[AlertLine]
    resolved: int
    """Of alerts of any month."""
    software: list[SoftwareLine]
    watched: int
    """How many computers were there all month."""
    links: dict[int, int] = field(default_factory=dict)
    """By the number of an asset of the fleet: the page there is of it."""

    @property
    def is_over(self) -> bool:
        return self.until == self.month.end

    @property
    def fleet_by_type(self) -> Counter[str]:
        return count_types(self.fleet)

    @property
    def before_by_type(self) -> Counter[str]:
        return count_types(self.before)

    @property
    def retired(self) -> int:
        return sum(line.cause is Cause.RETIRED for line in self.gone)

    @property
    def alerts_by_severity(self) -> dict[str, int]:
        counts = Counter(line.severity for line in self.alerts)
        return {str(word): counts[word] for word in SEVERITIES}


def read_client_month(client_id: int, text: str = "") -> ClientMonth:
    """Of the last month that is over, or that the history has begun in, unless `text` names one.
    Raises NotFound, and InvalidInput for a month of which there is no history."""
    client, now = get_client(client_id), utc_now()
    month = read_month(text) if text else choose_month()
    until, begin = min(month.end, now), find_history_start()
    with beyond_clients():
        records = load_records(month.start, client_id)
        stays = list_stays(records, client_id, month.start, until)
        alerts, resolved = _list_alerts(client_id, stays, month.start, until)
        all_month = _list_all_month(stays)
        software = list_software(all_month, month.start, until)
    links = _find_links(records)
    others = _name_others(stays, records)
    added, gone, passed = _sort_out(stays, links, others)
    return ClientMonth(
        client=client,
        month=month,
        until=until,
        begin=begin if begin is not None and begin > month.start else None,
        has_history=begin is not None,
        before=_in_order(stay.first for stay in stays if stay.since is None),
        fleet=_in_order(stay.last for stay in stays if stay.until is None),
        added=added,
        gone=gone,
        passed=passed,
        alerts=[_to_line(row, links) for row in alerts],
        resolved=resolved,
        software=software,
        watched=len(all_month),
        links=links,
    )


def choose_month() -> Month:
    """The last one that is over, or this one where the history begins with it."""
    this, begin = Month.of(day_of(utc_now())), find_history_start()
    return this if begin is None or begin >= this.start else this.previous


def _in_order(assets: Iterable[PastAsset]) -> list[PastAsset]:
    return sorted(assets, key=lambda asset: (asset.name.casefold(), asset.id))


def _sort_out(
    stays: Sequence[Stay], links: dict[int, int], others: dict[tuple[Cause, int], str]
) -> tuple[list[Line], list[Line], list[Line]]:
    """Who was added, who is gone, and who did both. What was away only for a time is neither."""
    began = {stay.first.id for stay in stays if stay.since is None}
    stayed = {stay.last.id for stay in stays if stay.until is None}
    added: dict[int, Line] = {}
    gone: dict[int, Line] = {}
    for stay in stays:
        asset_id = stay.first.id
        if stay.since and stay.came and asset_id in stayed - began:
            line = _line(stay.first, stay.since, stay.came, stay, links, others)
            added.setdefault(asset_id, line)
        if stay.until and stay.went and asset_id not in stayed:
            gone[asset_id] = _line(stay.last, stay.until, stay.went, stay, links, others)
    lists = (
        [*added.values()],
        [line for asset_id, line in gone.items() if asset_id in began],
        [line for asset_id, line in gone.items() if asset_id not in began],
    )
    for each in lists:
        each.sort(key=lambda line: (line.at, line.asset.id))
    return lists


def _line(
    asset: PastAsset,
    at: datetime,
    cause: Cause,
    stay: Stay,
    links: dict[int, int],
    others: dict[tuple[Cause, int], str],
) -> Line:
    other = None if stay.other_id is None else others.get((cause, stay.other_id))
    return Line(asset, at, cause, other, links.get(asset.id))


def _find_links(records: Sequence[Record]) -> dict[int, int]:
    """The asset that each is now, or went into, for whoever may see that."""
    allowed = allowed_clients()
    there = {
        each.asset.id
        for each in records
        if each.until is None and (allowed is None or each.asset.client_id in allowed)
    }
    now = {each.asset.id: each.into_id if each.until else each.asset.id for each in records}
    return {asset_id: it for asset_id, it in now.items() if it in there}


def _name_others(stays: Sequence[Stay], records: Sequence[Record]) -> dict[tuple[Cause, int], str]:
    """Clients and assets that assets came from or went to; another's client has no name."""
    moved = {s.other_id for s in stays if Cause.MOVED in (s.came, s.went)}
    names: dict[tuple[Cause, int], str] = {
        (Cause.MOVED, client_id): name for client_id, name in list_client_names(moved).items()
    }
    merged = {s.other_id for s in stays if s.went is Cause.MERGED}
    for each in records:
        if each.asset.id in merged:
            names[Cause.MERGED, each.asset.id] = each.asset.name
    return names


def _list_alerts(
    client_id: int, stays: Sequence[Stay], start: datetime, until: datetime
) -> tuple[list[Any], int]:
    """Rows of alerts, one for each time that they were triggered while their asset was in the
    fleet, the oldest first; and how many of any age were resolved meanwhile. One without an asset
    is of the client that its organization is mapped to now."""
    by_asset: dict[int, list[Stay]] = {}
    for stay in stays:
        by_asset.setdefault(stay.first.id, []).append(stay)
    its = AlertHandling  # the alert itself knows its last time alone: asked where none is kept
    raised = func.coalesce(its.began_at, Alert.triggered_at)
    ended = case((its.id.is_(None), Alert.resolved_at), else_=its.over_at)
    rows = db.session.execute(
        select(*_ALERT, raised.label("triggered_at"), ended.label("resolved_at"))
        .outerjoin(its, its.alert_id == Alert.id)
        .where(Alert.id.in_(_select_its(client_id, sorted(by_asset))))
        .where(or_(*((at >= start) & (at < until) for at in (raised, ended))))
        .order_by(raised, Alert.id)
    ).all()

    def counts(row: Any, at: datetime | None) -> bool:
        is_in = at is not None and start <= at < until
        if row.asset_id is None:
            return is_in
        return is_in and any(stay.holds(at) for stay in by_asset[row.asset_id] if at)

    names = {asset_id: its[-1].last.name for asset_id, its in by_asset.items()}
    found = [(names.get(row.asset_id), row) for row in rows if counts(row, row.triggered_at)]
    return found, sum(counts(row, row.resolved_at) for row in rows)


def _select_its(client_id: int, asset_ids: Sequence[int]) -> CompoundSelect[int]:
    """The ids of alerts: either way by itself, for which there is an index."""
    linked, unlinked = aliased(Alert), aliased(Alert)
    return union_all(
        select(linked.id).where(is_among(linked.asset_id, asset_ids)),
        select(unlinked.id).where(is_of_organization(unlinked, client_id)),
    )


def _to_line(found: tuple[str | None, Any], links: dict[int, int]) -> AlertLine:
    name, row = found
    return AlertLine(
        name,
        links.get(row.asset_id),
        row.id,
        str(row.severity),
        row.alert_type,
        row.message,
        row.triggered_at,
        row.resolved_at,
    )


def _list_all_month(stays: Sequence[Stay]) -> list[int]:
    return [stay.first.id for stay in stays if stay.since is None and stay.until is None]
