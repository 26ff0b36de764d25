"""What lists and exports had at a past moment is rebuilt from what became of it since."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import select

from portal.clock import utc_now
from portal.db import db
from portal.models import Asset
from portal.services.assets.choosing import Chosen
from portal.services.assets.deletion import delete_to_end
from portal.services.assets.edits import AssetEdit, edit_asset, release_field
from portal.services.assets.merge import merge_assets
from portal.services.assets.notes import write_note
from portal.services.assets.retirement import retire_assets
from portal.services.clients import add_client
from portal.services.export import export_assets, export_software
from portal.services.past.fleet import (
    PAST_COLUMNS,
    count_by_client,
    name_clients,
    read_facts,
    read_fleet,
)
from portal.services.past.software import (
    export_past_software,
    read_past_software,
)
from portal.sync.devices.merging.keepsakes import KEPT
from tests.support.msp import Msp, Row
from tests.sync.software import entry, ingest, reporting

pytestmark = pytest.mark.mainly("postgresql")

OF_DELETED = {"asset_id", "client", *KEPT}


def export() -> dict[str, Row]:
    """By the asset's number, what a file of today holds and one of a past day can."""
    rows = {row["asset_id"]: row for row in export_assets()}
    db.session.rollback()
    return {key: {name: row[name] for name in PAST_COLUMNS} for key, row in rows.items()}


def export_programs() -> list[Row]:
    rows = [row for row in export_software() if row.pop("removed_at") is None]
    db.session.rollback()
    return in_order(rows)


def in_order(rows: list[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: [str(value) for value in row.values()])


def rebuild(moment: datetime) -> dict[str, Row]:
    fleet = read_fleet(moment)
    clients = name_clients(row.asset for row in fleet.rows)
    rows = {row["asset_id"]: row for row in read_facts(fleet, fleet.rows, clients)}
    db.session.rollback()
    return rows


def rebuild_programs(moment: datetime) -> list[Row]:
    rows = list(export_past_software(read_past_software(read_fleet(moment))))
    db.session.rollback()
    return in_order(rows)


def count_clients() -> dict[int, int]:
    counts = count_by_client(utc_now())
    db.session.rollback()
    return {client_id: its.total() for client_id, its in counts.items()}


def asset_id(agent: str) -> int:
    found = db.session.scalar(select(Asset.id).where(Asset.rmm_device_id == agent))
    db.session.rollback()
    assert found is not None
    return found


def edit(agent: str, **values: Any) -> None:
    asset = db.session.get_one(Asset, asset_id(agent))
    known: dict[str, Any] = {
        "name": asset.name,
        "description": asset.description or "",
        "asset_type": asset.asset_type,
        "client_id": asset.client_id,
    }
    db.session.rollback()
    edit_asset(asset.id, AssetEdit(**(known | values)))


def test_a_fleet_that_changed_much_is_rebuilt_as_the_file_of_that_day_had_it(msp: Msp) -> None:
    control = msp.tactical.control
    msp.import_fleet(brake_percent=100)
    agents = [*msp.agents]
    edit(agents[6], name="By hand")
    ingest(msp)
    first, rebuilt_first = utc_now(), export()
    programs = export_programs()
    counted = count_clients()

    # Agents change, move and go; people edit, release and give to other clients.
    by_client: dict[int, list[str]] = {}
    for agent in agents:
        client = db.session.scalar(select(Asset.client_id).filter_by(rmm_device_id=agent))
        by_client.setdefault(client or 0, []).append(agent)
    db.session.rollback()
    keep, other, third = max(by_client.values(), key=len)[:3]
    rest = [agent for agent in agents if agent not in (keep, other, third)]
    moved, gone, deleted, edited = rest[0], rest[1], rest[2], rest[3]
    control.agents.edit(keep, description="changed")
    control.agents.edit(other, hostname="RENAMED")
    control.agents.move(moved, site=msp.sites_of_others(moved)[0]["site_pk"])
    edit(edited, name="Front desk", client_id=add_client("By hand Ltd").id)
    release_field(asset_id(agents[6]), "name")
    write_note(asset_id(edited), "Its fan is loud.", "none")
    has = reporting(msp)
    control.software.set(has[0], [entry("Brand new", "9")])
    control.software.set(has[1], [])
    msp.sync()
    ingest(msp)
    second, rebuilt_second = utc_now(), export()
    programs_second = export_programs()

    # Two become one, which becomes one with a third; some go for good.
    keep_id, third_id = asset_id(keep), asset_id(third)
    merge_assets(keep_id, asset_id(other))
    control.agents.edit(third, description="changed after the merge")
    msp.sync()
    ids = [asset_id(agent) for agent in (gone, deleted)]
    for agent in (gone, deleted):
        control.agents.remove(agent)
    msp.sync()
    third_moment, rebuilt_third = utc_now(), export()
    merge_assets(third_id, keep_id)
    retire_assets(Chosen(ids))
    delete_to_end(ids[1])
    ingest(msp)

    assert rebuild(utc_now()) == export()
    for moment, expected in (
        (third_moment, rebuilt_third),
        (second, rebuilt_second),
        (first, rebuilt_first),
    ):
        found = rebuild(moment)
        assert found.keys() == expected.keys()
        kept = str(ids[1])
        for name, row in expected.items():
            wanted = OF_DELETED if name == kept else set(row)
            assert {k: found[name][k] for k in wanted if k in row} == {
                k: row[k] for k in wanted if k in row
            }
    names = {row["rmm_device_id"] for row in programs if row["rmm_device_id"] != deleted}
    for moment, expected_programs in ((first, programs), (second, programs_second)):
        told = [row for row in expected_programs if row["rmm_device_id"] in names]
        assert rebuild_programs(moment) == told
    then = count_by_client(first)
    assert {client_id: its.total() for client_id, its in then.items()} == counted
