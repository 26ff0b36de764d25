"""Status as it is shown, the kind of system, and fields that were edited by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import update

from portal.clock import iso_utc, utc_now
from portal.db import transaction
from portal.errors import InvalidInput
from portal.models import Asset
from portal.models.runs.sync_run import RunStatus, SyncKind
from portal.scope import tenant_scope
from portal.services.accounts.tenants import add_tenant
from portal.services.assets.choosing import Chosen
from portal.services.assets.edits import AssetEdit, edit_asset, list_locked, release_field
from portal.services.assets.listing import (
    STATUSES,
    AssetFilter,
    count_by_status,
    get_asset,
    list_assets,
)
from portal.services.clients import add_client
from portal.services.export import export_assets
from portal.services.integrations import testing
from portal.services.integrations.connect import ConnectionSettings, save_connection
from portal.services.integrations.current import get_integration
from portal.services.integrations.schedules import ensure_schedules
from portal.services.organizations.listing import list_organizations
from portal.services.organizations.mapping import map_exact, map_to_client
from portal.services.runs.execution import run_to_end
from portal.tactical.reading.systems import split_system
from tactical_simulator import SimulatedTactical

pytestmark = pytest.mark.mainly("postgresql")

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def synced(app: Flask, tactical: SimulatedTactical) -> int:
    """The id of a tenant whose fleet is synced."""
    with app.app_context():
        tenant_id = add_tenant("Acme", "acme").id
        with tenant_scope(tenant_id):
            save_connection(ConnectionSettings(base_url=tactical.url, api_key=tactical.api_key))
            assert testing.test_now().ok
            run_to_end(SyncKind.ORGANIZATIONS)
            map_exact(create=True)
            assert run_to_end(SyncKind.DEVICES).status is RunStatus.SUCCESS
    return tenant_id


def test_time_makes_nobody_offline_and_after_a_day_without_a_look_nothing_is_known(
    app: Flask, synced: int
) -> None:
    looked = {"agent_status": "online", "last_seen_at": NOW, "status_at": NOW}
    with app.app_context(), tenant_scope(synced):
        asset_id = list_assets(AssetFilter()).items[0].id
        with transaction() as session:
            session.execute(update(Asset).values(**looked))
        for hours, status in ((0, "online"), (1, "online"), (24, "online"), (24.01, "unknown")):
            with time_machine.travel(NOW + timedelta(hours=hours), tick=False):
                assert get_asset(asset_id).shown_status == status
                counts = count_by_status()
                assert counts[status] == counts["total"] == 24
                assert list_assets(AssetFilter(status=status, sort="status")).total == 24
                assert {row["agent_status"] for row in export_assets()} == {status}
                assert sum(list_assets(AssetFilter(status=each)).total for each in STATUSES) == 24


@pytest.mark.parametrize(
    ("sweep", "devices", "fresh_for"),
    [(5, 60, 10), (10, 60, 20), (1, 60, 5), (0, 60, 120), (0, 1440, 1440), (0, 0, 5)],
)
@pytest.mark.one_database
def test_a_status_is_stale_when_two_looks_should_have_come(
    app: Flask, synced: int, sweep: int, devices: int, fresh_for: int
) -> None:
    """Minutes. By the sweep's interval; without sweeps by the device sync's."""
    with app.app_context(), tenant_scope(synced):
        with transaction() as session:
            session.execute(update(Asset).values(agent_status="online", status_at=NOW))
            integration = get_integration()
            integration.status_sweep_minutes = sweep
            integration.device_sync_minutes = devices
            ensure_schedules(session, integration)
        for minutes, stale in ((fresh_for, 0), (fresh_for + 0.1, 24)):
            with time_machine.travel(NOW + timedelta(minutes=minutes), tick=False):
                counts = count_by_status()
                assert (counts["stale"], counts["total"]) == (stale, 24)
                assert list_assets(AssetFilter(status="stale")).total == stale
                assert {row["status_stale"] for row in export_assets()} == {bool(stale)}
                assert {row["status_as_of"] for row in export_assets()} == {iso_utc(NOW)}


def test_statuses_sum_to_the_total_and_missing_assets_are_apart(app: Flask, synced: int) -> None:
    with app.app_context(), tenant_scope(synced):
        ids = [asset.id for asset in list_assets(AssetFilter()).items]
        words = ["online", "offline", "overdue", "unknown"]
        now = utc_now()
        with transaction() as session:
            for number, asset_id in enumerate(ids):
                asset = session.get_one(Asset, asset_id)
                asset.agent_status = words[number % 4]
                asset.status_at = now - timedelta(days=number % 3)
                asset.missing_since = now if number < 6 else None
        counts = count_by_status()
        lists = {word: list_assets(AssetFilter(status=word)) for word in [*counts, ""]}
        assert counts["total"] == lists[""].total == 18
        assert counts["missing"] == lists["missing"].total == 6
        assert sum(counts[word] for word in words) == 18
        assert {word: lists[word].total for word in (*words, "stale")} == {
            word: counts[word] for word in (*words, "stale")
        }
        assert counts["stale"] == counts["unknown"] - 1 > 0  # one was looked at just now
        assert {each.id for each in lists["missing"].items} == set(ids[:6])
        everything = list(export_assets())
        assert len(everything) == 24
        assert sum(row["missing_since"] is not None for row in everything) == 6
        assert len(list(export_assets(Chosen(shown=AssetFilter())))) == 18
        assert len(list(export_assets(Chosen(shown=AssetFilter(status="missing"))))) == 6


def test_what_was_edited_by_hand_is_left_alone_until_it_is_released(
    app: Flask, synced: int, tactical: SimulatedTactical
) -> None:
    with app.app_context(), tenant_scope(synced):
        asset = list_assets(AssetFilter()).items[0]
        told_name, told_client = asset.name, asset.client_id
        other = add_client("By hand")
        edit = AssetEdit("Front desk", asset.description or "", asset.asset_type, other.id)
        assert edit_asset(asset.id, edit) == ["name", "client_id"]
        tactical.control.agents.edit(agent_id=asset.rmm_device_id, hostname="RENAMED-01")
        assert run_to_end(SyncKind.DEVICES).status is RunStatus.SUCCESS

        asset = get_asset(asset.id)
        assert (asset.name, asset.client_id) == ("Front desk", other.id)
        assert list_locked(asset) == ["name", "client"]

        release_field(asset.id, "name")
        release_field(asset.id, "client")
        counts = run_to_end(SyncKind.DEVICES).counts
        assert counts["moved"] == 1
        asset = get_asset(asset.id)
        assert told_name != "RENAMED-01"
        assert (asset.name, asset.client_id) == ("RENAMED-01", told_client)
        assert list_locked(asset) == []


def test_mapping_leaves_an_asset_that_was_given_away_by_hand(app: Flask, synced: int) -> None:
    with app.app_context(), tenant_scope(synced):
        asset = list_assets(AssetFilter()).items[0]
        kept, new = add_client("Kept"), add_client("New")
        edit_asset(asset.id, AssetEdit(asset.name, "", asset.asset_type, kept.id))
        for row in list_organizations().items:
            map_to_client(row.mapping.id, new.id)
        assert get_asset(asset.id).client_id == kept.id
        assert list_assets(AssetFilter(client_id=new.id)).total == 23


@pytest.mark.one_database
def test_an_edit_that_cannot_be_is_refused_beside_its_field(app: Flask, synced: int) -> None:
    with app.app_context(), tenant_scope(synced):
        asset = list_assets(AssetFilter()).items[0]
        for edit, field in (
            (AssetEdit(" ", "", "server", asset.client_id), "name"),
            (AssetEdit("x", "", "toaster", asset.client_id), "asset_type"),
            (AssetEdit("x", "", "server", None), "client"),
            (AssetEdit("x", "y" * 300, "server", asset.client_id), "description"),
        ):
            with pytest.raises(InvalidInput) as refused:
                edit_asset(asset.id, edit)
            assert refused.value.field == field
        assert list_locked(get_asset(asset.id)) == []


@pytest.mark.parametrize(
    ("plat", "text", "kind", "version"),
    [
        (
            *("windows", "Microsoft Windows 10 Pro, 64bit (build 18363)"),
            *("Windows", "10 Pro, 64bit (build 18363)"),
        ),
        ("windows", "Windows Server 2016 Datacenter", "Windows", "Server 2016 Datacenter"),
        ("windows", "something else", "Windows", "something else"),
        ("linux", "debian 12.5 x86_64", "Linux", "debian 12.5 x86_64"),
        ("darwin", "darwin 14.5 arm64 23.5.0", "macOS", "14.5 arm64 23.5.0"),
        ("plan9", "x", "plan9", "x"),
    ],
)
def test_the_system_is_split_into_kind_and_version(
    plat: str, text: str, kind: str, version: str
) -> None:
    assert split_system(plat, text) == (kind, version)


def test_the_order_by_status_is_that_of_the_words_shown(app: Flask, synced: int) -> None:
    with app.app_context(), tenant_scope(synced):
        with transaction() as session:
            for number, asset in enumerate(session.query(Asset).order_by(Asset.id)):
                asset.agent_status = STATUSES[number % 4]
                asset.status_at = utc_now() - timedelta(days=number % 3)
        up = [asset.shown_status for asset in list_assets(AssetFilter(sort="status")).items]
        down = [asset.shown_status for asset in list_assets(AssetFilter(sort="-status")).items]
        assert set(up) == set(STATUSES)
        assert up == sorted(up) == down[::-1]
