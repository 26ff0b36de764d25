"""What is counted each night is what a person would count, once, and each sees theirs of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import delete, select

from portal.clock import utc_now
from portal.db import db, transaction
from portal.models import (
    Alert,
    AlertHandling,
    Asset,
    AssetChange,
    AssetSoftware,
    DailyCount,
    OrganizationMapping,
)
from portal.models.alerts.alert import AlertSource, AlertStatus, Severity
from portal.models.runs.sync_run import SyncKind
from portal.scope import limited_to, tenant_scope
from portal.services.accounts.tenants import add_tenant
from portal.services.assets.daily_counts import Day, read_days
from portal.services.assets.nightly_counts import KEPT_DAYS, count_days
from portal.services.clients import add_client, delete_client
from portal.services.integrations.current import get_integration
from tests.query_plans.plans import asked
from tests.support.msp import Msp

NOON = datetime(2026, 3, 10, 12).astimezone()
TONIGHT = NOON + timedelta(hours=14)
DAY = NOON.date()


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    with time_machine.travel(NOON):
        yield


def count_at(moment: datetime) -> int:
    with time_machine.travel(moment, tick=False):
        return count_days(get_integration().id)


def add_alert(
    asset: Asset | None,
    severity: Severity,
    *occurrences: tuple[datetime, datetime | None],
    organization: str | None = None,
) -> None:
    """With a handling for each time that it was raised, and resolved."""
    with transaction() as session:
        alert = Alert(
            **{"integration_id": get_integration().id, "asset_id": asset and asset.id},
            **{"condition": "x", "alert_type": "check", "severity": severity},
            **{"status": AlertStatus.ACTIVE, "source": AlertSource.WEBHOOK},
            **{"triggered_at": occurrences[-1][0], "occurrences": len(occurrences)},
            external_organization_id=organization,
        )
        session.add(alert)
        session.flush()
        for number, (began, over) in enumerate(occurrences, 1):
            its = {"occurrence": number, "began_at": began, "over_at": over}
            session.add(AlertHandling(alert_id=alert.id, **its))


def list_assets() -> list[Asset]:
    return list(db.session.scalars(select(Asset).order_by(Asset.id)))


def count_by_hand(client_id: int) -> dict[str, int]:
    """Of what is installed and what stands, as of now."""
    assets = [each for each in list_assets() if each.client_id == client_id]
    here = [each for each in assets if each.missing_since is None]
    counts = dict.fromkeys(("online", "offline", "overdue", "unknown"), 0)
    for asset in here:
        counts[asset.shown_status] += 1
    return counts | {
        "missing": len(assets) - len(here),
        "workstation": sum(each.asset_type == "workstation" for each in here),
        "server": sum(each.asset_type == "server" for each in here),
        "reboots_due": sum(each.needs_reboot is True for each in here),
    }


@pytest.mark.fleet(clients=3, sites=3, agents=12, titles=4)
def test_a_night_counts_what_a_person_would(msp: Msp) -> None:
    msp.import_fleet()
    msp.sync(SyncKind.SOFTWARE)
    with transaction() as session:
        some = list(session.scalars(select(Asset).order_by(Asset.id)))
        some[0].needs_reboot, some[1].agent_status, some[2].status_at = True, "overdue", utc_now()
        some[3].missing_since, some[4].status_at = utc_now(), utc_now() - timedelta(days=3)
    first, second, *_others = list_assets()
    add_alert(first, Severity.ERROR, (NOON, NOON), (NOON, None))
    add_alert(second, Severity.INFO, (NOON - timedelta(days=3), NOON))
    add_alert(None, Severity.WARNING, (NOON, None))
    [organization] = [
        each.external_organization_id
        for each in db.session.scalars(select(OrganizationMapping))
        if each.client_id == second.client_id
    ]
    add_alert(None, Severity.WARNING, (NOON, None), organization=organization)

    with time_machine.travel(TONIGHT, tick=False):
        by_hand = {each.client_id: count_by_hand(each.client_id) for each in list_assets()}
    with asked() as found:
        assert count_at(TONIGHT) == 1
    assert len(found.statements) <= 12  # two of them find the connection

    rows = {row.client_id: row for row in db.session.scalars(select(DailyCount))}
    assert {row.day for row in rows.values()} == {DAY}
    assert rows.keys() == {*by_hand, None}
    for client_id, counts in by_hand.items():
        assert {name: getattr(rows[client_id], name) for name in counts} == counts
    assert sum(by_hand[each]["missing"] for each in by_hand) == 1
    assert (rows[None].online, rows[None].raised_warning, rows[None].installs) == (0, 1, 0)
    assert rows[first.client_id].raised_error == 2
    assert rows[first.client_id].resolved_error == 1
    assert (rows[second.client_id].raised_info, rows[second.client_id].resolved_info) == (0, 1)
    assert rows[second.client_id].raised_warning == 1
    [day] = read(until=DAY)
    here = sum(each.missing_since is None for each in list_assets())
    assert day.by_status is not None
    assert sum(day.by_status.values()) == here + 1
    installed = select(AssetSoftware.asset_id).where(AssetSoftware.removed_at.is_(None))
    assert day.installs == sum(each != some[3].id for each in db.session.scalars(installed)) > 0
    assert (day.raised, sum(day.resolved.values())) == ({"info": 0, "warning": 2, "error": 2}, 2)


def read(**asked_for: Any) -> list[Day]:
    found = read_days(**asked_for)
    db.session.rollback()
    return found


@pytest.mark.one_database
@pytest.mark.fleet(clients=2, sites=2, agents=4)
def test_a_missed_night_is_caught_up_as_far_as_history_goes_and_none_is_counted_twice(
    msp: Msp,
) -> None:
    msp.import_fleet()
    add_alert(list_assets()[0], Severity.ERROR, (NOON + timedelta(days=1), None))
    assert count_at(NOON + timedelta(hours=5)) == 0  # the day is not over
    assert count_at(TONIGHT + timedelta(days=2)) == 3
    assert count_at(TONIGHT + timedelta(days=2)) == 0
    missed, caught_up, last = read(until=DAY + timedelta(days=2))
    assert [each.day for each in (missed, caught_up, last)] == [
        DAY + timedelta(days=number) for number in range(3)
    ]
    assert (missed.by_status, missed.installs, missed.reboots_due) == (None,) * 3
    assert missed.by_type is not None
    assert sum(missed.by_type.values()) == 4  # the history of assets tells it
    assert (missed.raised["error"], caught_up.raised["error"]) == (0, 1)
    assert last.by_status is not None
    assert last.by_type is not None
    assert sum(last.by_type.values()) == 4
    # By day nobody knows any more how it stood last night.
    with transaction() as session:
        session.execute(delete(AssetChange))
    assert count_at(NOON + timedelta(days=4, hours=5)) == 1
    unknown = read(until=DAY + timedelta(days=3))[-1]
    assert (unknown.by_status, unknown.by_type) == (None, None)


@pytest.mark.one_database
@pytest.mark.fleet(clients=2, sites=2, agents=4)
def test_everybody_reads_theirs_and_the_past_of_a_deleted_client_stays_the_tenants(
    msp: Msp, app: Flask
) -> None:
    msp.import_fleet()
    gone = add_client("Gone").id
    assert count_at(TONIGHT) == 1
    ids = sorted({each.client_id for each in list_assets()})
    [everybody], [one] = read(until=DAY), read(until=DAY, client_ids=ids[:1])
    with limited_to(ids[:1]):
        assert read(until=DAY) == [one]
        assert read(until=DAY, client_ids=ids[1:]) == []
    assert one != everybody
    delete_client(gone)
    assert count_at(TONIGHT + timedelta(days=1)) == 1
    assert read(until=DAY) == [everybody]
    with tenant_scope(add_tenant("Other MSP", "other").id):
        assert read(until=DAY) == []


@pytest.mark.one_database
@pytest.mark.fleet(clients=1, sites=1, agents=1)
def test_what_is_too_old_is_forgotten(msp: Msp) -> None:
    msp.import_fleet()
    assert count_at(TONIGHT) == 1
    with transaction() as session:
        for row in session.scalars(select(DailyCount)):
            row.day = DAY - timedelta(days=KEPT_DAYS)
    assert count_at(TONIGHT) == KEPT_DAYS
    days = read(days=500, until=DAY)
    assert len(days) == KEPT_DAYS
    assert days[0].day == DAY - timedelta(days=KEPT_DAYS - 1)
