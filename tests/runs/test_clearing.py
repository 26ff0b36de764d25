"""Removing what a connection or a mapping created."""

from __future__ import annotations

import pytest

from portal.db import db
from portal.errors import InvalidInput, Refused
from portal.models import Asset, SyncRun
from portal.models.runs.sync_run import RunStatus, SyncKind
from portal.services.assets.edits import AssetEdit, edit_asset
from portal.services.organizations import mapping
from portal.services.runs.clearing import count_created, request_clearing
from portal.services.runs.execution import run_queued
from portal.services.runs.history import get_run
from portal.services.runs.reverts import revert_to_end
from tests.runs.test_reverting import exported
from tests.support.msp import Msp, counted

pytestmark = pytest.mark.mainly("postgresql")


def test_what_a_wrong_mapping_created_goes_and_comes_back(msp: Msp) -> None:
    msp.import_fleet()
    msp.sync(SyncKind.SOFTWARE)
    before, organizations = exported(msp), msp.organizations()
    external_id = next(iter(organizations))
    number = msp.mapping_id(external_id)
    created = count_created(number)
    its = [row for row in before.values() if row["rmm_organization_id"] == external_id]
    assert (created.assets, created.edited) == (len(its), 0)
    assert created.software
    with pytest.raises(InvalidInput, match=f"Enter {len(its)} to confirm"):
        request_clearing(number, len(its) + 1, edited_too=False)
    run = request_clearing(number, len(its), edited_too=False)
    run_queued(run.id)
    run = msp_run(run.id)
    assert (run.status, counted(run)) == (
        RunStatus.SUCCESS,
        {"seen": len(its), "removed": len(its)},
    )
    assert exported(msp).keys() == before.keys() - {row["rmm_device_id"] for row in its}
    assert counted(msp.sync()).get("created") is None, "it is unmapped"
    undone = revert_to_end(run.id)
    assert undone.status is RunStatus.SUCCESS
    assert exported(msp) == before
    clients = {number: row["client"] for number, row in organizations.items()}
    assert {number: row["client"] for number, row in msp.organizations().items()} == clients


def test_what_a_person_edited_stays_unless_it_is_asked_for(msp: Msp) -> None:
    msp.import_fleet()
    asset = db.session.query(Asset).order_by(Asset.id).first()
    assert asset is not None
    description, client_id = asset.description or "", asset.client_id
    edit_asset(asset.id, AssetEdit("Mine", description, asset.asset_type, client_id), None)
    db.session.rollback()
    created = count_created(None)
    assert (created.name, created.edited) == (None, 1)
    run = request_clearing(None, created.assets - 1, edited_too=False)
    run_queued(run.id)
    assert [row["name"] for row in exported(msp).values()] == ["Mine"]
    with pytest.raises(Refused, match="no asset to remove"):
        request_clearing(None, 0, edited_too=False)
    run_queued(request_clearing(None, 1, edited_too=True).id)
    assert exported(msp) == {}
    mapping.map_exact()
    assert counted(msp.sync())["created"] == created.assets, "mapped anew, all come as new ones"


def msp_run(run_id: int) -> SyncRun:

    run = get_run(run_id)
    db.session.rollback()
    return run
