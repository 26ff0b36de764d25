"""A merge is taken back: the tables are those of before, and what came since is whose it is."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select

from portal.clock import utc_now
from portal.db import db, transaction
from portal.errors import Refused
from portal.models import (
    Alert,
    AlertRule,
    Asset,
    AssetChange,
    AssetConflict,
    AssetSoftware,
    Helpdesk,
    MaintenanceWindow,
    OrganizationMapping,
    RemovedAsset,
    SoftwareTitle,
    SupersededAgent,
    SyncRun,
    Ticket,
    User,
)
from portal.models.assets.conflict import Settlement
from portal.models.runs.sync_run import RunStatus, SyncKind
from portal.services.assets.choosing import Chosen
from portal.services.assets.edits import AssetEdit, edit_asset
from portal.services.assets.history import read_history
from portal.services.assets.listing import get_asset
from portal.services.assets.merge import merge_assets
from portal.services.assets.tags import add_tag
from portal.services.assets.words import find_own_words
from portal.services.clients import add_client, delete_client
from portal.services.conflicts.settling import settle_conflict
from portal.services.organizations.mapping import map_to_client
from portal.services.runs.reverts import revert_to_end
from portal.sync.devices.merging.unmerge import Unmerged, unmerge
from portal.sync.runs.cause import Cause
from tests.assets.tables import (
    add_alert,
    add_conflict,
    change,
    get,
    import_pair,
    merge,
    read_tables,
    see_last,
)
from tests.support.msp import Msp
from tests.web.world import make_user

pytestmark = pytest.mark.mainly("postgresql")


def take_back(removed_id: int) -> Unmerged:
    with transaction() as session:
        removed = session.get_one(RemovedAsset, removed_id)
        return unmerge(session, removed, Cause.of_person(None))


@pytest.mark.parametrize("kept_is_current", [True, False])
@pytest.mark.parametrize("software_of_kept_is_later", [True, False])
def test_merged_and_taken_back_everything_is_as_before(
    msp: Msp, kept_is_current: bool, software_of_kept_is_later: bool
) -> None:
    keep_id, other_id = import_pair(msp)
    see_last(*((keep_id, other_id) if kept_is_current else (other_id, keep_id)))
    later = keep_id if software_of_kept_is_later else other_id
    change(later, software_read_at=utc_now() + timedelta(seconds=1))
    third = third_of(keep_id, other_id)
    merge(other_id, third)  # an address that leads to the other one
    add_conflict(other_id, keep_id)
    add_conflict(keep_id, other_id, "same_name")
    other = get(Asset, other_id)
    edit_asset(other_id, AssetEdit("By hand", "", other.asset_type, other.client_id))
    add_tag(Chosen([keep_id, other_id]), "Both")
    add_tag(Chosen([keep_id]), "one")
    add_tag(Chosen([other_id]), "other")
    before = read_tables()
    removed_id = merge(keep_id, other_id)
    assert read_tables() != before
    assert find_own_words([keep_id])[keep_id].tags == ["both", "one", "other"]
    undone = take_back(removed_id)
    assert undone == Unmerged(other_id, [])
    assert read_tables() == before


@pytest.mark.one_database
def test_rules_and_windows_that_name_it_follow_it_and_go_back(msp: Msp) -> None:
    keep_id, other_id = import_pair(msp)
    with msp.scope():
        with transaction() as session:
            rule = AlertRule(name="It", position=0, conditions={"assets": [other_id]})
            when = {"zone": "UTC", "starts": "2026-01-01T22:00", "minutes": 60, "created_by": "me"}
            of_it = MaintenanceWindow(name="It", scope={"assets": [other_id]}, **when)
            of_both = MaintenanceWindow(name="Both", scope={"assets": [other_id, keep_id]}, **when)
            session.add_all([rule, of_it, of_both])
        removed_id = merge(keep_id, other_id)
        for terms in (rule.conditions, of_it.scope, of_both.scope):
            assert terms == {"assets": [keep_id]}

        take_back(removed_id)
    assert rule.conditions == of_it.scope == {"assets": [other_id]}
    assert set(of_both.scope["assets"]) == {keep_id, other_id}


def test_its_tickets_come_along_and_go_back(msp: Msp) -> None:
    """So do the outages that they stand for, unless the kept asset has such a ticket already."""
    keep_id, other_id = import_pair(msp)
    see_last(keep_id, other_id)
    with transaction() as session:
        helpdesk = Helpdesk(kind="rt", name="RT")
        session.add(helpdesk)
        session.flush()
        words = dict.fromkeys(("queue", "subject", "body"), "x")
        for asset_id, outage in (
            (keep_id, f"asset {keep_id}"),
            (other_id, f"asset {other_id}"),
            (other_id, f"asset {other_id} check 3"),
        ):
            key = f"key of {outage}"
            owner = {"helpdesk_id": helpdesk.id, "asset_id": asset_id}
            session.add(Ticket(outage=outage, key=key, **owner, **words))
    before = list_outages()
    removed_id = merge(keep_id, other_id)
    assert list_outages() == [
        (keep_id, f"asset {keep_id}"),
        (keep_id, f"asset {other_id}"),
        (keep_id, f"asset {keep_id} check 3"),
    ]
    take_back(removed_id)
    assert list_outages() == before


def list_outages() -> list[tuple[int | None, str]]:
    rows = db.session.execute(select(Ticket.asset_id, Ticket.outage).order_by(Ticket.id)).all()
    db.session.rollback()
    return [(row.asset_id, row.outage) for row in rows]


def third_of(*pair: int) -> int:
    client_id = get(Asset, pair[0]).client_id
    found = db.session.scalar(
        select(Asset.id).where(Asset.client_id == client_id, Asset.id.not_in(pair))
    )
    db.session.rollback()
    assert found is not None
    return found


def test_its_history_tells_of_both(msp: Msp) -> None:
    keep_id, other_id = import_pair(msp)
    see_last(other_id, keep_id)
    take_back(merge(keep_id, other_id))
    for asset_id in (keep_id, other_id):
        assert [str(each) for each in read_history(asset_id).entries[0].actions] == ["reverted"]
    assert get_asset(other_id).id == other_id
    undone: dict[str, Any] = {
        row.column: (row.before, row.after)
        for row in db.session.scalars(
            select(AssetChange).filter_by(asset_id=keep_id, action="reverted")
        )
    }
    done = {
        row.column: (row.after, row.before)
        for row in db.session.scalars(
            select(AssetChange).filter_by(asset_id=keep_id, action="merged")
        )
    }
    assert {name: undone[name] for name in done if name} == {
        name: done[name] for name in done if name
    }


def test_what_syncs_brought_since_belongs_to_whose_agent_it_is(msp: Msp) -> None:
    keep_id, other_id = import_pair(msp)
    see_last(other_id, keep_id)
    kept_description = get(Asset, keep_id).description
    agent = get(Asset, other_id).rmm_device_id
    removed_id = merge(keep_id, other_id)
    msp.tactical.control.agents.edit(agent, description="since the merge")
    msp.tactical.control.software.install(agent, name="Since the merge", version="1")
    msp.sync_agent(agent)
    msp.sync(SyncKind.SOFTWARE)
    add_alert(get(Asset, keep_id))
    undone = take_back(removed_id)
    assert undone.stayed == []
    assert "Since the merge" in titles_of(other_id)
    assert "Since the merge" not in titles_of(keep_id)
    assert get(Asset, other_id).description == "since the merge"
    assert get(Asset, keep_id).description == kept_description
    alerts = db.session.scalars(select(Alert).filter_by(agent_id=agent)).all()
    assert {alert.asset_id for alert in alerts} == {other_id}


def titles_of(asset_id: int) -> set[str]:
    titles = select(SoftwareTitle.name).join(
        AssetSoftware, AssetSoftware.title_id == SoftwareTitle.id
    )
    found = set(db.session.scalars(titles.where(AssetSoftware.asset_id == asset_id)))
    db.session.rollback()
    return found


def test_what_a_person_edited_since_stays_and_is_named(msp: Msp) -> None:
    keep_id, other_id = import_pair(msp)
    see_last(other_id, keep_id)
    removed_id = merge(keep_id, other_id)
    merged = get(Asset, keep_id)
    edit_asset(keep_id, AssetEdit("Since", "", merged.asset_type, merged.client_id))
    assert {"name", "description"} <= set(take_back(removed_id).stayed)
    assert get(Asset, keep_id).name == "Since"


def test_the_later_of_two_merges_is_taken_back_first(msp: Msp) -> None:
    first, second = import_pair(msp)
    third = third_of(first, second)
    before = read_tables()
    inner = merge(second, first)
    outer = merge(third, second)
    name = get(Asset, third).name
    with pytest.raises(Refused, match=f"itself merged into {name}"):
        take_back(inner)
    take_back(outer)
    take_back(inner)
    assert read_tables() == before


@pytest.mark.one_database
def test_what_cannot_be_taken_back_is_refused_and_nothing_is_written(msp: Msp) -> None:
    keep_id, other_id = import_pair(msp)
    see_last(keep_id, other_id)
    agent = get(Asset, other_id).rmm_device_id
    removed_id = merge(keep_id, other_id)
    with transaction() as session:
        session.query(SupersededAgent).delete()
    msp.sync()  # the agent has an asset again
    assert agent in msp.assets()
    before = read_tables()
    with pytest.raises(Refused, match="has an asset of its own by now"):
        take_back(removed_id)
    assert read_tables() == before


def test_an_asset_with_yet_another_agent_keeps_it(msp: Msp) -> None:
    keep_id, other_id = import_pair(msp)
    see_last(other_id, keep_id)
    removed_id = merge(keep_id, other_id)
    change(keep_id, rmm_device_id="Z" * 40)
    with pytest.raises(Refused, match="given to another agent"):
        take_back(removed_id)


@pytest.mark.one_database
def test_a_conflict_that_the_merge_answered_is_open_again(msp: Msp) -> None:
    keep_id, other_id = import_pair(msp)
    conflict = add_conflict(other_id, keep_id)
    removed_id = merge(keep_id, other_id)
    assert get(AssetConflict, conflict).settled_at is not None
    take_back(removed_id)
    assert get(AssetConflict, conflict).settled_at is None


def test_a_client_that_was_deleted_keeps_the_two_together(msp: Msp) -> None:
    keep_id, other_id = import_pair(msp)
    run = merge_assets(keep_id, other_id)
    client_id, new = get(Asset, keep_id).client_id, add_client("Elsewhere").id
    for mapping_id in db.session.scalars(
        select(OrganizationMapping.id).where(OrganizationMapping.client_id == client_id)
    ).all():
        map_to_client(mapping_id, new)
    delete_client(client_id)
    undone = revert_to_end(run.id)
    assert undone.status is RunStatus.PARTIAL
    assert [entry.reason for entry in msp.log(undone)] == [
        f"The client that {name_of_other(run)} had does not exist any more."
    ]
    assert get(Asset, keep_id).client_id == new


def name_of_other(run: SyncRun) -> str:
    removed = db.session.scalars(select(RemovedAsset).filter_by(run_id=run.id)).one()
    name: str = removed.snapshot["asset"]["name"]
    return name


def test_who_settled_a_conflict_and_was_deleted_since_does_not_stand_in_the_way(msp: Msp) -> None:
    keep_id, other_id = import_pair(msp)
    user_id = make_user(msp.app, "gone@acme.example")
    conflict = add_conflict(other_id, keep_id)
    settle_conflict(conflict, Settlement.SEPARATE, user_id)
    removed_id = merge(keep_id, other_id)
    with transaction() as session:
        session.execute(delete(User).where(User.id == user_id))
    take_back(removed_id)
    kept = get(AssetConflict, conflict)
    assert (kept.settled_as, kept.settled_by) == (Settlement.SEPARATE, None)
    assert (kept.asset_id, kept.other_asset_id) == (other_id, keep_id)
