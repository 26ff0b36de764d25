"""Webhook deliveries as they were: found, filtered, counted, shown, and one day let go."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, or_, select

from portal.clock import utc_now
from portal.db import db
from portal.errors import NotFound
from portal.models import Alert, Asset, Delivery, Integration
from portal.models.deliveries.delivery import DeliveryStatus
from portal.services.deliveries.storage import free_room
from portal.services.lists.paging import Page, paginate_records
from portal.services.lists.pruning import delete_in_parts
from portal.services.lists.search import any_contains, find_named, narrow, split_words

PERIODS: dict[str, timedelta] = {
    "1h": timedelta(hours=1),
    "24h": timedelta(days=1),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
}

_SEARCHED = (
    Delivery.agent_id,
    Delivery.external_alert_id,
    Delivery.reason,
    Delivery.outcome,
    Delivery.body,
    Delivery.remote_address,
)
PRUNED_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class DeliveryFilter:
    """What the list shows; an empty field does not filter."""

    search: str = ""
    status: str = ""
    event: str = ""
    period: str = ""
    agent_id: str = ""


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """`asset` is that of the agent named, if it has one; `alert` what became of it."""

    delivery: Delivery
    asset: Asset | None
    alert: Alert | None

    @property
    def is_under_way(self) -> bool:
        """A worker is about to process it; not one that waits for a later attempt."""
        delivery = self.delivery
        return delivery.status is DeliveryStatus.PENDING and delivery.reason is None


def delivery_conditions(shown: DeliveryFilter) -> list[ColumnElement[bool]]:
    """The filter in SQL."""
    conditions: list[ColumnElement[bool]] = []
    if shown.status:
        conditions.append(Delivery.status == shown.status)
    if shown.event:
        conditions.append(Delivery.event == shown.event)
    if shown.agent_id:
        conditions.append(Delivery.agent_id == shown.agent_id)
    if shown.period in PERIODS:
        conditions.append(Delivery.received_at >= utc_now() - PERIODS[shown.period])
    for word, named in find_named(Asset.rmm_device_id, split_words(shown.search)).items():
        conditions.append(or_(any_contains(_SEARCHED, word), Delivery.agent_id.in_(named)))
    return conditions


def list_deliveries(shown: DeliveryFilter, page: int = 1) -> Page[DeliveryRow]:
    """The newest first."""
    return list_and_count(shown, page)[0]


def list_and_count(
    shown: DeliveryFilter, page: int = 1
) -> tuple[Page[DeliveryRow], dict[str, int]]:
    """The page, and what `count_by_status` counts with the same filter."""
    of_any_status = delivery_conditions(replace(shown, status=""))
    of_any_status = narrow(Delivery.id, of_any_status, shown.search)
    counts = _count_by_status(of_any_status)
    status = delivery_conditions(DeliveryFilter(status=shown.status))
    newest_first = (Delivery.received_at.desc(), Delivery.id.desc())
    found = paginate_records(
        select(Delivery),
        select(Delivery.id).where(*of_any_status, *status).order_by(*newest_first),
        counts.get(shown.status or "total", 0),
        page,
    )
    return Page(_with_details(found.items), found.number, found.total), counts


def count_by_status(shown: DeliveryFilter | None = None) -> dict[str, int]:
    """How many of each status the filter shows, its own status aside, and `total`."""
    return _count_by_status(delivery_conditions(replace(shown or DeliveryFilter(), status="")))


def _count_by_status(conditions: list[ColumnElement[bool]]) -> dict[str, int]:
    rows = db.session.execute(
        select(Delivery.status, func.count()).where(*conditions).group_by(Delivery.status)
    ).all()
    counts = {str(word): 0 for word in DeliveryStatus} | {str(row[0]): row[1] for row in rows}
    return counts | {"total": sum(counts.values())}


def count_failed() -> int:
    failed = Delivery.status == DeliveryStatus.FAILED
    return db.session.scalar(select(func.count()).select_from(Delivery).where(failed)) or 0


def any_deliveries() -> bool:
    return db.session.scalar(select(Delivery.id).limit(1)) is not None


def get_delivery(delivery_id: int) -> Delivery:
    delivery = db.session.scalar(
        select(Delivery).where(Delivery.id == delivery_id).execution_options(populate_existing=True)
    )
    if delivery is None:
        raise NotFound("This webhook call does not exist.")
    return delivery


def get_delivery_row(delivery_id: int) -> DeliveryRow:
    return _with_details([get_delivery(delivery_id)])[0]


def list_deliveries_of_alert(alert_id: int, most: int) -> list[Delivery]:
    return list(
        db.session.scalars(
            select(Delivery)
            .where(Delivery.alert_id == alert_id)
            .order_by(Delivery.received_at.desc(), Delivery.id.desc())
            .limit(most)
        )
    )


def prune_deliveries(integration_id: int) -> int:
    """Delete those that are older than the integration keeps them; how many."""
    integration = db.session.get_one(Integration, integration_id)
    before = utc_now() - timedelta(days=integration.delivery_days)
    return delete_in_parts(Delivery, lambda: _list_old_ids(integration_id, before), free_room)


def _list_old_ids(integration_id: int, before: datetime) -> Sequence[int]:
    """What still waits is kept, however old."""
    return db.session.scalars(
        select(Delivery.id)
        .where(
            Delivery.integration_id == integration_id,
            Delivery.received_at < before,
            Delivery.status != DeliveryStatus.PENDING,
        )
        .limit(PRUNED_AT_ONCE)
    ).all()


def _with_details(deliveries: Iterable[Delivery]) -> list[DeliveryRow]:
    deliveries = list(deliveries)
    agents = {delivery.agent_id for delivery in deliveries if delivery.agent_id}
    alerts = {delivery.alert_id for delivery in deliveries if delivery.alert_id}
    assets_by_agent: dict[tuple[int, str], Asset] = {}
    if agents:
        servers = {delivery.integration_id for delivery in deliveries}
        found = db.session.scalars(
            select(Asset).where(Asset.integration_id.in_(servers), Asset.rmm_device_id.in_(agents))
        )
        assets_by_agent = {(asset.integration_id, asset.rmm_device_id): asset for asset in found}
    alerts_by_id: dict[int, Alert] = {}
    if alerts:
        alerts_by_id = {
            alert.id: alert
            for alert in db.session.scalars(select(Alert).where(Alert.id.in_(alerts)))
        }
    return [
        DeliveryRow(
            delivery,
            assets_by_agent.get((delivery.integration_id, delivery.agent_id or "")),
            alerts_by_id.get(delivery.alert_id or 0),
        )
        for delivery in deliveries
    ]
