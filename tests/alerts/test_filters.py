"""Filters, counts, clients and the files of alerts and deliveries."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from portal.clock import utc_now
from portal.db import transaction
from portal.models import Alert, Delivery
from portal.models.deliveries.delivery import DeliveryStatus
from portal.models.runs.sync_run import SyncKind
from portal.services import export
from portal.services.alerts import exporting, listing
from portal.services.alerts.filters import AlertFilter
from portal.services.deliveries import history
from portal.services.deliveries.history import DeliveryFilter
from portal.services.integrations.current import get_integration
from portal.services.organizations import many
from portal.services.organizations.listing import list_organizations
from portal.services.runs import execution
from tests.alerts.conftest import Msp


@pytest.fixture
def fleet(msp: Msp) -> Msp:
    """An old error, a new warning, a snoozed and a resolved one, each of another agent."""
    control = msp.tactical.control.alerts
    old = msp.raise_alert(0, severity="error", message="Disk 100%_full on C:")
    control.edit(old, alert_time=msp.tactical.state.clock.datetime() - timedelta(days=9))
    msp.raise_alert(1, severity="warning", message="Print spooler")
    snoozed = msp.raise_alert(2, severity="error", message="Snoozed one")
    control.edit(snoozed, snoozed=True)
    resolved = msp.raise_alert(3, severity="info", message="Resolved one")
    msp.sync()
    control.resolve(resolved)
    msp.sync()
    return msp


SHOWN = [
    (AlertFilter(status="active"), {"Disk 100%_full on C:", "Print spooler"}),
    (AlertFilter(status="resolved"), {"Resolved one"}),
    (AlertFilter(severity="error"), {"Disk 100%_full on C:", "Snoozed one"}),
    (AlertFilter(search="0%_f"), {"Disk 100%_full on C:"}),
    (AlertFilter(search="spooler print"), {"Print spooler"}),
    (AlertFilter(search="spooler disk"), set()),
    (AlertFilter(age="over-7d"), {"Disk 100%_full on C:"}),
    (AlertFilter(age="1h", status="active"), {"Print spooler"}),
    (AlertFilter(age="30d", severity="warning"), {"Print spooler"}),
]


def test_filters(fleet: Msp) -> None:
    with fleet.scope():
        for shown, messages in SHOWN:
            found = listing.list_alerts(shown)
            assert {row.alert.message for row in found.items} == messages, shown
            assert found.total == len(messages), shown


def test_counts_leave_the_own_status_aside(fleet: Msp) -> None:
    with fleet.scope():
        counts = listing.count_by_status(AlertFilter(severity="error", status="active"))
        assert counts.pop("unacknowledged") == 1
        assert counts == {"active": 1, "snoozed": 1, "resolved": 0, "total": 2}
        assert listing.count_active_by_severity() == {
            "info": 0,
            "warning": 1,
            "error": 1,
            "total": 2,
        }


def test_every_order_works_both_ways(fleet: Msp) -> None:
    with fleet.scope():
        for key in (*listing.SORTABLE, "nonsense"):
            for sort in (key, f"-{key}"):
                assert len(listing.list_alerts(AlertFilter(sort=sort)).items) == 4, sort


def test_severity_is_ordered_by_its_weight(fleet: Msp) -> None:
    with fleet.scope():
        rows = listing.list_alerts(AlertFilter(sort="-severity")).items
    assert [row.alert.severity for row in rows] == ["error", "error", "warning", "info"]


def test_the_client_filter_and_the_asset_filter(fleet: Msp) -> None:
    with fleet.scope():
        for row in listing.list_alerts(AlertFilter()).items:
            assert row.client is not None
            assert row.alert.asset is not None
            by_asset = listing.list_alerts(AlertFilter(asset_id=row.alert.asset.id)).items
            assert [found.alert.id for found in by_asset] == [row.alert.id]
            by_client = listing.list_alerts(AlertFilter(client_id=row.client.id)).items
            assert row.alert.id in [found.alert.id for found in by_client]
            assert {found.client for found in by_client} == {row.client}


def test_an_alert_is_linked_when_its_asset_appears(msp: Msp) -> None:
    agent_id = msp.tactical.control.agents.add(1, hostname="NEWCOMER")
    pk = msp.tactical.control.alerts.trigger(agent_id, "check")
    msp.sync()
    alert = msp.alert(pk or 0)
    assert alert.asset_id is None
    with msp.scope():
        row = listing.get_alert_row(alert.id)
        assert row.client is not None, "its organization is mapped"
        of_client = listing.list_alerts(AlertFilter(client_id=row.client.id)).items
        assert alert.id in [found.alert.id for found in of_client]
        execution.run_to_end(SyncKind.DEVICES)

    linked = msp.alert(pk or 0)
    assert linked.asset is not None
    assert linked.asset.name == "NEWCOMER"


def test_the_asset_shows_its_open_alerts_alone(msp: Msp) -> None:
    first, second = msp.raise_alert(), msp.raise_alert()
    msp.sync()
    msp.tactical.control.alerts.resolve(second)
    msp.sync()
    asset_id = msp.alert(first).asset_id
    assert asset_id is not None
    with msp.scope():
        shown = listing.list_open_of_asset(asset_id, 8)
    assert [alert.external_alert_id for alert in shown] == [str(first)]


def test_alert_export(fleet: Msp) -> None:
    with fleet.scope():
        rows = list(exporting.export_alerts())
    assert all(tuple(row) == exporting.ALERT_COLUMNS for row in rows)
    by_message = {row["message"]: row for row in rows}
    truth = {alert["message"]: alert for alert in fleet.tactical.control.truth.alerts()}
    for message, row in by_message.items():
        assert row["external_alert_id"] == str(truth[message]["id"])
        assert row["status"] == truth[message]["status"]
        assert row["asset"] == truth[message]["hostname"]
        assert row["client"] == truth[message]["client"]
        assert row["triggered_at"].endswith("Z")
    assert by_message["Resolved one"]["resolved_at"].endswith("Z")
    assert by_message["Print spooler"]["resolved_at"] is None
    assert by_message["Print spooler"]["source"] == "backfill"
    assert all(type(value) in (str, int, type(None)) for row in rows for value in row.values())


def test_an_unmapped_agent_has_neither_asset_nor_client(msp: Msp) -> None:
    with msp.scope():
        for organization in list_organizations().items:
            many.unmap_many([organization.mapping.id])
    agent_id = msp.tactical.control.agents.add(1, hostname="STRANGER")
    msp.tactical.control.alerts.trigger(agent_id, "check", message="Of a stranger")
    msp.sync()
    with msp.scope():
        [row] = [one for one in exporting.export_alerts() if one["message"] == "Of a stranger"]
    assert (row["agent_id"], row["asset"], row["client"]) == (agent_id, None, None)


def test_delivery_filters_and_export(msp: Msp, http: FlaskClient) -> None:
    pk = msp.raise_alert()
    good = msp.deliver(http, agent_id=msp.agents[0], alert_id=str(pk), event="trigger")
    test = msp.deliver(http, agent_id="{{agent.agent_id}}")
    bad = msp.deliver_bytes(http, b"\xff nonsense")
    msp.process()

    def ids(**shown: Any) -> list[int]:
        rows = history.list_deliveries(DeliveryFilter(**shown)).items
        return [row.delivery.id for row in rows]

    with msp.scope():
        assert ids() == [bad, test, good]
        assert ids(status="processed") == [good]
        assert ids(event="trigger") == [good]
        assert ids(event="resolve") == []
        assert ids(search=msp.agents[0][:12]) == [good]
        assert ids(search="nonsense") == [bad]
        assert ids(agent_id=msp.agents[0], period="1h") == [good]
        counts = history.count_by_status(DeliveryFilter(status="test"))
        assert (counts["test"], counts["needs_review"], counts["total"]) == (1, 1, 3)
        row = history.get_delivery_row(good)
        assert row.asset is not None
        assert row.alert is not None
        assert ids(search=row.asset.name) == [good]
        of_alert = history.list_deliveries_of_alert(row.alert.id, 5)
        assert [delivery.id for delivery in of_alert] == [good]
        rows = list(export.export_deliveries())
    assert [tuple(row) for row in rows] == [export.DELIVERY_COLUMNS] * 3
    assert [row["status"] for row in rows] == ["processed", "test", "needs_review"]
    assert rows[0]["id"] == str(good)
    assert rows[0]["external_alert_id"] == str(pk)
    assert rows[2]["agent_id"] is None
    assert rows[2]["reason"]


def test_old_deliveries_go_and_waiting_ones_stay(msp: Msp, http: FlaskClient) -> None:
    ids = [msp.deliver(http, agent_id=msp.agents[0], event="trigger") for _ in range(4)]
    with msp.scope(), transaction() as session:
        for delivery_id, days in zip(ids, (31, 31, 29, 0), strict=True):
            delivery = session.get_one(Delivery, delivery_id)
            delivery.received_at = utc_now() - timedelta(days=days)
            delivery.status = DeliveryStatus.PROCESSED
        session.get_one(Delivery, ids[1]).status = DeliveryStatus.PENDING
    with msp.scope():
        assert history.prune_deliveries(get_integration().id) == 1
        left = history.list_deliveries(DeliveryFilter()).items
    assert sorted(row.delivery.id for row in left) == ids[1:]


def test_pruning_leaves_the_alert(msp: Msp, http: FlaskClient) -> None:
    pk = msp.raise_alert()
    delivery_id = msp.deliver(http, agent_id=msp.agents[0], alert_id=str(pk), event="trigger")
    msp.process()
    with msp.scope(), transaction() as session:
        received = utc_now() - timedelta(days=99)
        session.get_one(Delivery, delivery_id).received_at = received
    with msp.scope():
        assert history.prune_deliveries(get_integration().id) == 1
        assert not history.any_deliveries()
    found: Alert = msp.alert(pk)
    assert found.status == "active"
