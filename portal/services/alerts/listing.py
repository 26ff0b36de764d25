"""Alerts: found, filtered, counted and shown."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, ScalarSelect, Select, case, func, select
from sqlalchemy.orm import aliased, contains_eager, defer, joinedload

from portal.client_guard import found_from
from portal.db import db
from portal.errors import NotFound
from portal.models import Alert, AlertHandling, Asset, Client, Membership, OrganizationMapping
from portal.models.alerts.alert import AlertStatus, Severity
from portal.services.alerts.filters import (
    UNACKNOWLEDGED,
    AlertFilter,
    alert_conditions,
    is_unacknowledged,
)
from portal.services.lists.paging import Page, paginate_records
from portal.services.lists.search import narrow

_SEVERITY_RANK = case(
    (Alert.severity == Severity.ERROR, 2), (Alert.severity == Severity.WARNING, 1), else_=0
)
_CLIENT_OF_ORGANIZATION = aliased(Client)
_ASSET_NAME = func.lower(func.coalesce(Asset.name, Alert.hostname))

SORTABLE: dict[str, Any] = {
    "triggered": Alert.triggered_at,
    "severity": _SEVERITY_RANK,
    "asset": _ASSET_NAME,
    "client": Client.name_key,
    "occurrences": Alert.occurrences,
}


@dataclass(frozen=True, slots=True)
class AlertRow:
    """An alert of `query_alerts`."""

    alert: Alert

    @property
    def client(self) -> Client | None:
        """The asset's, or that of the organization while there is no asset."""
        place = self.alert.asset or self.alert.organization
        return place.client if place else None


def list_alerts(shown: AlertFilter, page: int = 1) -> Page[AlertRow]:
    return list_and_count(shown, page)[0]


def list_and_count(shown: AlertFilter, page: int = 1) -> tuple[Page[AlertRow], dict[str, int]]:
    """The page, and what `count_by_status` counts with the same filter."""
    of_any_status = alert_conditions(replace(shown, status=""))
    of_any_status = narrow(Alert.id, of_any_status, shown.search)
    counts = _count_by_status(of_any_status)
    status = alert_conditions(AlertFilter(status=shown.status))
    order = _order(shown.sort)
    ids = select(Alert.id).execution_options(**found_from(Alert))
    if shown.sort.lstrip("-") in ("asset", "client"):
        ids = _with_assets(ids)
    found = paginate_records(
        query_alerts(),
        ids.where(*of_any_status, *status).order_by(*order),
        counts.get(shown.status or "total", 0),
        page,
    )
    return Page([AlertRow(each) for each in found.items], found.number, found.total), counts


def count_by_status(shown: AlertFilter | None = None) -> dict[str, int]:
    """How many alerts of each status the filter shows, its own status aside, `total`, and how many
    active ones are `unacknowledged`."""
    return _count_by_status(alert_conditions(replace(shown or AlertFilter(), status="")))


def _count_by_status(conditions: list[ColumnElement[bool]]) -> dict[str, int]:
    unacknowledged = _query_unacknowledged(conditions).correlate(None).scalar_subquery()
    rows = db.session.execute(
        select(Alert.status, func.count(), unacknowledged)
        .where(*conditions)
        .group_by(Alert.status)
        .execution_options(**found_from(Alert))
    ).all()
    counts = {str(status): 0 for status in AlertStatus} | {str(row[0]): row[1] for row in rows}
    total, nobodys = sum(counts.values()), rows[0][2] if rows else 0
    return counts | {"total": total, UNACKNOWLEDGED: nobodys}


def unacknowledged_count() -> ScalarSelect[int]:
    """How many active alerts nobody has acknowledged: a part of a statement."""
    return _query_unacknowledged([]).scalar_subquery()


def newest_error() -> ScalarSelect[str]:
    """What the active alert of that severity says that was raised last, and of which computer: a
    part of a statement."""
    says = func.coalesce(Alert.message, Alert.alert_type, "")
    named = func.coalesce(Alert.hostname.concat(": "), "").concat(says)
    is_error = (Alert.status == AlertStatus.ACTIVE, Alert.severity == Severity.ERROR)
    newest = select(named).where(*is_error).order_by(Alert.triggered_at.desc(), Alert.id.desc())
    return newest.limit(1).scalar_subquery()


def _query_unacknowledged(conditions: list[ColumnElement[bool]]) -> Select[int]:
    is_active = Alert.status == AlertStatus.ACTIVE
    number = select(func.count()).select_from(Alert)
    return number.where(*conditions, is_active, is_unacknowledged())


def count_active_by_severity() -> dict[str, int]:
    """Of active alerts: one number for each severity, and `total`."""
    rows = db.session.execute(
        select(Alert.severity, func.count())
        .where(Alert.status == AlertStatus.ACTIVE)
        .group_by(Alert.severity)
    ).all()
    counts = {str(word): 0 for word in Severity} | {str(row[0]): row[1] for row in rows}
    return counts | {"total": sum(counts.values())}


def any_alerts() -> bool:
    return db.session.scalar(select(Alert.id).limit(1)) is not None


def get_alert(alert_id: int) -> Alert:
    alert = db.session.scalar(
        select(Alert)
        .where(Alert.id == alert_id)
        .options(
            joinedload(Alert.asset).joinedload(Asset.client),
            joinedload(Alert.organization).joinedload(OrganizationMapping.client),
            joinedload(Alert.handling)
            .joinedload(AlertHandling.assignee)
            .joinedload(Membership.user),
        )
        .execution_options(populate_existing=True)
    )
    if alert is None:
        raise NotFound("This alert does not exist.")
    return alert


def get_alert_row(alert_id: int) -> AlertRow:
    return AlertRow(get_alert(alert_id))


def list_open_of_asset(asset_id: int, most: int) -> list[Alert]:
    """Those that are not resolved, active ones first, of these the newest."""
    is_its = (Alert.asset_id == asset_id, Alert.status != AlertStatus.RESOLVED)
    is_snoozed = case((Alert.status == AlertStatus.ACTIVE, 0), else_=1)
    order = (is_snoozed, Alert.triggered_at.desc(), Alert.id.desc())
    return list(db.session.scalars(select(Alert).where(*is_its).order_by(*order).limit(most)))


def query_alerts(*conditions: ColumnElement[bool]) -> Select[Alert]:
    """Alerts with their assets and organizations and the clients of these, and with their handlings
    and whom they are assigned to, but for why each rule was tried."""
    handling, organization = contains_eager(Alert.handling), contains_eager(Alert.organization)
    its_client = OrganizationMapping.client.of_type(_CLIENT_OF_ORGANIZATION)
    return (
        _with_assets(select(Alert))
        .outerjoin(Alert.organization)
        .outerjoin(its_client)
        .outerjoin(Alert.handling)
        .outerjoin(AlertHandling.assignee)
        .outerjoin(Membership.user)
        .where(*conditions)
        .options(
            contains_eager(Alert.asset).contains_eager(Asset.client),
            organization.contains_eager(its_client),
            handling.contains_eager(AlertHandling.assignee).contains_eager(Membership.user),
            handling.options(defer(AlertHandling.explanation), defer(AlertHandling.plan)),
        )
        .execution_options(**found_from(Alert))
    )


def _with_assets(query: Select[Any]) -> Select[Any]:
    return query.outerjoin(Alert.asset).outerjoin(Asset.client)


def _order(sort: str) -> tuple[Any, ...]:
    """The id comes last, so that pages neither repeat nor miss a row among equals."""
    newest = (Alert.triggered_at.desc(), Alert.id.desc())
    if sort == "-triggered":
        return newest
    column = SORTABLE.get(sort.lstrip("-"), Alert.triggered_at)
    if sort.startswith("-"):
        return column.desc().nulls_last(), *newest
    return column.asc().nulls_last(), *newest
