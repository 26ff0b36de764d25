"""What stands right now, by client, by system and by version of the agent: in one statement."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Select, String, cast, func, literal, null, select, union_all

from portal.clock import utc_now
from portal.db import UtcDateTime, db
from portal.models import Alert, Asset, Client, Integration
from portal.models.alerts.alert import AlertStatus, Severity
from portal.services.alerts.belonging import CLIENT_ID, join_client
from portal.services.assets.drift import is_elsewhere, join_mapping
from portal.services.assets.listing import (
    AssetFilter,
    asset_conditions,
    status_numbers,
    sum_statuses,
)
from portal.sync.devices.retirement import is_proposed

_NUMBERS = 8
"""Columns of numbers behind what a row is about; behind them is a version."""
_CLIENT, _ALERTS, _WORDS = "client", "alerts", "words"
_NO_TEXT = cast(null(), String)
_NEVER = cast(null(), UtcDateTime())


@dataclass(frozen=True, slots=True)
class ClientState:
    """A client, and what is the matter with it."""

    id: int
    name: str
    errors: int
    warnings: int
    """Active alerts of these severities."""
    overdue: int

    @property
    def badness(self) -> tuple[int, int, int]:
        """The higher, the worse: errors count first, then overdue assets, then warnings."""
        return self.errors, self.overdue, self.warnings


@dataclass(frozen=True, slots=True)
class Fleet:
    assets_by_status: dict[str, int]
    """As `count_by_status` has it."""
    active_alerts: dict[str, int]
    """By severity, and `total`."""
    first_error_at: datetime | None
    """When the oldest active alert of that severity was raised."""
    overdue_since: datetime | None
    """When the first of the assets that are overdue was last seen."""
    proposed_since: datetime | None
    """Since when the first of those proposed for retirement is missing."""
    worst_clients: list[ClientState]
    """The worst first; without those with which nothing is the matter."""
    systems: dict[tuple[str, str], int]
    """How many assets by kind and version of the system; missing ones aside, as below."""
    agent_versions: dict[str, int]
    reboots_due: int
    elsewhere: int
    """How many belong to another client than the one their organization is mapped to."""


def read_fleet(stale_before: datetime, integration: Integration | None, worst: int) -> Fleet:
    """With the `worst` clients."""
    found: dict[str, list[Sequence[Any]]] = defaultdict(list)
    parts = (_by_client(stale_before, integration), _by_severity())
    for kind, *row in db.session.execute(union_all(*parts, _by_words())):
        found[kind].append(row)
    clients, alerts = found[_CLIENT], found[_ALERTS]
    systems, versions = Counter[tuple[str, str]](), Counter[str]()
    for _id, system, kind, _at, _since, number, *_, version in found[_WORDS]:
        if system is not None:
            systems[kind or "", system] += number
        if version is not None:
            versions[version] += number
    counts = {str(word): 0 for word in Severity}
    for _client_id, _name, severity, _at, _since, number, *_ in alerts:
        counts[severity] += number
    return Fleet(
        assets_by_status=sum_statuses([(row[2], *row[5:11]) for row in clients]),
        active_alerts=counts | {"total": sum(counts.values())},
        first_error_at=_earliest(row[3] for row in alerts if row[2] == Severity.ERROR),
        overdue_since=_earliest(row[3] for row in clients),
        proposed_since=_earliest(row[4] for row in clients),
        worst_clients=_list_worst(clients, alerts)[:worst],
        systems=systems,
        agent_versions=versions,
        reboots_due=sum(row[11] for row in clients),
        elsewhere=sum(row[12] for row in clients),
    )


def _by_client(stale_before: datetime, integration: Integration | None) -> Select[Any]:
    here = Asset.missing_since.is_(None)
    numbers = (
        *status_numbers(stale_before, integration),
        func.count().filter(here, Asset.needs_reboot.is_(True)),
        func.count().filter(here, is_elsewhere()),
    )
    by = (Asset.client_id, Client.name, Asset.agent_status)
    is_overdue = asset_conditions(AssetFilter(status="overdue"), stale_before)
    seen = func.min(Asset.last_seen_at).filter(*is_overdue)
    absent = func.min(Asset.missing_since).filter(*is_proposed(integration, utc_now()))
    moments = (seen, absent)
    columns = (literal(_CLIENT).label("kind"), *by, *moments, *numbers, _NO_TEXT.label("version"))
    query: Select[Any] = join_mapping(select(*columns))
    return query.join(Asset.client).group_by(*by)


def _by_severity() -> Select[Any]:
    """Active alerts, as the list of a client's has them."""
    query = select(
        literal(_ALERTS),
        CLIENT_ID,
        Client.name,
        cast(Alert.severity, String),
        func.min(Alert.triggered_at),
        _NEVER,
        *_only(func.count()),
        _NO_TEXT,
    ).select_from(Alert)
    return (
        join_client(query)
        .outerjoin(Client, Client.id == CLIENT_ID)
        .where(Alert.status == AlertStatus.ACTIVE)
        .group_by(CLIENT_ID, Client.name, Alert.severity)
    )


def _by_words() -> Select[Any]:
    """By system and version of the agent at once: they are few, and it takes one look at all."""
    nobody = cast(null(), BigInteger)
    words, never = (Asset.os_version, Asset.os_type), (_NEVER, _NEVER)
    return (
        select(literal(_WORDS), nobody, *words, *never, *_only(func.count()), Asset.agent_version)
        .where(Asset.missing_since.is_(None))
        .group_by(*words, Asset.agent_version)
    )


def _earliest(moments: Iterable[datetime | None]) -> datetime | None:
    return min((moment for moment in moments if moment), default=None)


def _only(number: Any) -> tuple[Any, ...]:
    """One number, and zeros for those that others have."""
    return (number, *(literal(0) for _ in range(_NUMBERS - 1)))


def _list_worst(
    clients: Sequence[Sequence[Any]], alerts: Sequence[Sequence[Any]]
) -> list[ClientState]:
    by_client: dict[int, list[Sequence[Any]]] = defaultdict(list)
    names: dict[int, str] = {}
    for client_id, name, word, _seen, _absent, *numbers in clients:
        by_client[client_id].append((word, *numbers[:6]))
        names[client_id] = name
    names |= {row[0]: row[1] for row in alerts if row[1] is not None}
    active = {(row[0], row[2]): row[5] for row in alerts}
    states = [
        ClientState(
            id=client_id,
            name=name,
            errors=active.get((client_id, Severity.ERROR), 0),
            warnings=active.get((client_id, Severity.WARNING), 0),
            overdue=sum_statuses(by_client[client_id])["overdue"],
        )
        for client_id, name in names.items()
    ]
    bad = [each for each in states if any(each.badness)]
    return sorted(bad, key=lambda each: (*(-number for number in each.badness), each.name))
