"""The facts of alerts that rules and windows look at, read from the database."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, func, or_, select
from sqlalchemy.orm import Session

from portal.chunks import chunked
from portal.models import Alert, AlertHandling, Asset, AssetTag, Client, OrganizationMapping
from portal.models.alerts.alert import AlertStatus
from portal.services.rules.matching import key_of
from portal.services.rules.terms import AtLeast, Subject

_AT_ONCE = 500
"""Ids in one statement."""
_ORGANIZATION = func.coalesce(Asset.rmm_organization_id, Alert.external_organization_id)
_CLIENT = func.coalesce(Asset.client_id, OrganizationMapping.client_id)
_PRESENT = (
    Alert.triggered_at.label("began_at"),
    Alert.resolved_at.label("over_at"),
    Alert.occurrences.label("occurrence"),
)
_HANDLED = (AlertHandling.began_at, AlertHandling.over_at, AlertHandling.occurrence)


def load_subjects(session: Session, alert_ids: Collection[int]) -> dict[int, Subject]:
    """By the id of the alert, in two statements for each 500.

    Each in its present occurrence. Who handles an earlier one, or one that a window kept back,
    says so by `msgspec.structs.replace(subject, occurrence=…, began_at=…, over_at=…,
    counts_from=…)`.
    """
    found: dict[int, Subject] = {}
    for ids in chunked(sorted(alert_ids), _AT_ONCE):
        subjects = _to_subjects(session, _query(_PRESENT).where(Alert.id.in_(ids)))
        found |= {subject.alert_id: subject for subject in subjects}
    return found


def load_history(session: Session, since: datetime, most: int) -> list[Subject]:
    """What began since then, each occurrence of an alert by itself; the newest first."""
    present = _query(_PRESENT).where(Alert.triggered_at >= since)
    earlier = _query(_HANDLED).where(
        AlertHandling.began_at >= since, AlertHandling.occurrence < Alert.occurrences
    )
    newest = present.order_by(Alert.triggered_at.desc()).limit(most)
    found = _to_subjects(session, newest)
    newest = earlier.order_by(AlertHandling.began_at.desc()).limit(most)
    found += _to_subjects(session, newest)
    found.sort(key=lambda subject: (subject.began_at, subject.alert_id), reverse=True)
    return found[:most]


def load_open(session: Session, most: int) -> list[Subject]:
    """Of all alerts that are not over, the newest first."""
    still_open = _query(_PRESENT).where(Alert.status != AlertStatus.RESOLVED)
    return _to_subjects(session, still_open.order_by(Alert.triggered_at.desc()).limit(most))


def load_others(session: Session, wanted: AtLeast, subjects: Iterable[Subject]) -> list[Subject]:
    """What `Tally` needs to count for these subjects, themselves among it: what the portal handled
    of the same assets, clients or checks in the minutes before one of them began."""
    spans: list[tuple[datetime, datetime]] = []
    keys: set[object] = set()
    for subject in subjects:
        if (key := key_of(wanted, subject)) is not None:
            earliest = subject.began_at - timedelta(minutes=wanted.minutes)
            spans.append((earliest, subject.began_at))
            keys.add(key)
    if not keys:
        return []
    moments = or_(*(AlertHandling.began_at.between(*span) for span in _join(spans)))
    shared = _has_key(wanted, keys)
    return _to_subjects(session, _query(_HANDLED).where(moments, shared))


def _join(spans: list[tuple[datetime, datetime]]) -> list[tuple[datetime, datetime]]:
    """Spans that overlap are one."""
    joined: list[tuple[datetime, datetime]] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        else:
            joined.append((start, end))
    return joined


def _has_key(wanted: AtLeast, keys: set[object]) -> ColumnElement[bool]:
    if wanted.of != "check":
        return (Alert.asset_id if wanted.of == "asset" else _CLIENT).in_(keys)
    ids: dict[str, list[str]] = defaultdict(list)
    for key in keys:
        what, _, pk = str(key).partition(" ")
        ids[what].append(pk)
    return or_(Alert.external_check_id.in_(ids["check"]), Alert.external_task_id.in_(ids["task"]))


def _query(occurrence: tuple[Any, ...]) -> Select[Any]:
    """Alerts with all facts; `occurrence`: when it began, when it was over, and which it is."""
    query = select(
        *(Alert.id, Alert.severity, Alert.alert_type, Alert.message, Alert.hostname),
        *(Alert.asset_id, Alert.external_check_id, Alert.external_task_id),
        *occurrence,
        *(Asset.name, Asset.asset_type, Asset.os_type, Asset.site_id, Asset.site_name),
        _ORGANIZATION.label("organization_id"),
        OrganizationMapping.external_organization_name.label("organization"),
        Client.id.label("client_id"),
        Client.name.label("client"),
    ).select_from(Alert)
    if occurrence is _HANDLED:
        query = query.join(AlertHandling, AlertHandling.alert_id == Alert.id)
    is_its = and_(
        OrganizationMapping.integration_id == Alert.integration_id,
        OrganizationMapping.external_organization_id == _ORGANIZATION,
    )
    return (
        query.outerjoin(Asset, Asset.id == Alert.asset_id)
        .outerjoin(OrganizationMapping, is_its)
        .outerjoin(Client, Client.id == _CLIENT)
    )


def _to_subjects(session: Session, query: Select[Any]) -> list[Subject]:
    rows = session.execute(query).all()
    tags = _load_tags(session, {row.asset_id for row in rows if row.asset_id is not None})
    return [_to_subject(row, tags.get(row.asset_id, frozenset())) for row in rows]


def _load_tags(session: Session, asset_ids: set[int]) -> dict[int | None, frozenset[str]]:
    """By the id of the asset; of all assets, in one statement, where many are asked for."""
    query = select(AssetTag.asset_id, AssetTag.tag)
    if len(asset_ids) <= _AT_ONCE:
        query = query.where(AssetTag.asset_id.in_(asset_ids))
    tags: dict[int | None, set[str]] = defaultdict(set)
    for asset_id, tag in session.execute(query) if asset_ids else ():
        tags[asset_id].add(tag)
    return {asset_id: frozenset(words) for asset_id, words in tags.items()}


def _to_subject(row: Row[Any], tags: frozenset[str]) -> Subject:
    check = f"check {row.external_check_id}" if row.external_check_id else None
    return Subject(
        alert_id=row.id,
        severity=str(row.severity),
        kind=row.alert_type,
        message=row.message or "",
        began_at=row.began_at,
        over_at=row.over_at,
        occurrence=row.occurrence,
        client_id=row.client_id,
        client=row.client,
        organization_id=row.organization_id,
        organization=row.organization,
        site_id=row.site_id,
        site=row.site_name,
        asset_id=row.asset_id,
        hostname=row.name or row.hostname,
        asset_type=row.asset_type,
        system=row.os_type,
        tags=tags,
        check_id=check or (f"task {row.external_task_id}" if row.external_task_id else None),
    )
