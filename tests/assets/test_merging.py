"""Two assets that are one computer become one, and nothing of either is lost."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from portal.clock import utc_now
from portal.db import db, transaction
from portal.errors import NotFound, PortalError, Refused
from portal.models import (
    Alert,
    Asset,
    AssetChange,
    AssetConflict,
    AssetSoftware,
    ExternalEntityMapping,
    Integration,
    OrganizationMapping,
    RemovedAsset,
    SoftwareTitle,
    SupersededAgent,
)
from portal.models.assets.conflict import Settlement
from portal.models.events.event import EventType
from portal.models.integrations.integration import IntegrationState
from portal.services.assets.edits import AssetEdit, edit_asset, list_locked
from portal.services.assets.history import read_history
from portal.services.assets.listing import get_asset
from portal.services.assets.removed import AssetMerged
from portal.services.clients import add_client
from portal.services.integrations.identity import ServerChoice, decide_server
from portal.sync.devices.merging.rules import OF_THE_AGENT
from portal.sync.software.store import refresh_counts
from tests.assets.tables import add_conflict, change, get, import_pair, merge, read_tables, see_last
from tests.events.conftest import events
from tests.support.msp import Msp

pytestmark = pytest.mark.mainly("postgresql")


def ids_of(table: type[Alert] | type[AssetChange], asset_id: int) -> set[int]:
    found = set(db.session.scalars(select(table.id).where(table.asset_id == asset_id)))
    db.session.rollback()
    return found


def software_of(asset_id: int) -> dict[tuple[int, str], AssetSoftware]:
    rows = db.session.scalars(select(AssetSoftware).where(AssetSoftware.asset_id == asset_id))
    found = {(row.title_id, row.version): row for row in rows}
    db.session.rollback()
    return found


def agents_of(asset_id: int) -> list[str]:
    found = db.session.scalars(
        select(SupersededAgent.agent_id).where(SupersededAgent.asset_id == asset_id)
    )
    agents = sorted(found)
    db.session.rollback()
    return agents


@pytest.mark.parametrize("kept_is_current", [True, False])
def test_the_kept_asset_has_the_agent_that_was_seen_last_and_all_of_both(
    msp: Msp, kept_is_current: bool
) -> None:
    keep_id, other_id = import_pair(msp)
    see_last(*((keep_id, other_id) if kept_is_current else (other_id, keep_id)))
    keep, other = get(Asset, keep_id), get(Asset, other_id)
    current, lost = (keep, other) if kept_is_current else (other, keep)
    alerts = ids_of(Alert, keep_id) | ids_of(Alert, other_id)
    changes = ids_of(AssetChange, keep_id) | ids_of(AssetChange, other_id)
    expected = {name: getattr(current, name) for name in OF_THE_AGENT}
    lost_agent = lost.rmm_device_id
    name = other.name

    merge(keep_id, other_id)

    merged = get(Asset, keep_id)
    assert {name: getattr(merged, name) for name in OF_THE_AGENT} == expected
    assert ids_of(Alert, keep_id) == alerts
    assert ids_of(AssetChange, keep_id) > changes
    assert agents_of(keep_id) == [lost_agent]
    mappings = db.session.scalars(select(ExternalEntityMapping).filter_by(asset_id=keep_id)).all()
    assert [each.external_entity_id for each in mappings] == [merged.rmm_device_id]
    assert db.session.get(Asset, other_id) is None
    db.session.rollback()
    told = read_history(keep_id).entries[0]
    assert [str(action) for action in told.actions] == ["merged"]
    assert ("rmm_device_id" in {each.column for each in told.fields}) is not kept_is_current
    row = db.session.scalars(select(AssetChange).filter_by(action="merged", column="")).one()
    assert row.before == {"asset_id": other_id, "name": name}


def test_the_list_of_software_that_was_read_later_wins_and_the_rest_is_history(msp: Msp) -> None:
    keep_id, other_id = import_pair(msp)
    now = utc_now()
    with transaction() as session:
        titles = [SoftwareTitle(name=name, normalized_name=name) for name in ("both", "old", "new")]
        session.add_all(titles)
        session.flush()
        both, old, new = (title.id for title in titles)
        for asset_id, title_id, days in (
            (keep_id, both, 9),
            (keep_id, old, 8),
            (other_id, both, 2),
            (other_id, new, 1),
        ):
            first = now - timedelta(days=days)
            session.add(
                AssetSoftware(
                    asset_id=asset_id, title_id=title_id, version="1", first_seen_at=first
                )
            )
        session.flush()
        refresh_counts(session, [both, old, new])
    assert get(SoftwareTitle, both).asset_count == 2
    change(keep_id, software_read_at=now - timedelta(hours=2))
    change(other_id, software_read_at=now)

    merge(keep_id, other_id)

    found = software_of(keep_id)
    assert found[both, "1"].first_seen_at == now - timedelta(days=9)
    assert found[both, "1"].removed_at is None
    assert found[old, "1"].removed_at == now
    assert found[new, "1"].removed_at is None
    assert get(Asset, keep_id).software_read_at == now
    assert [get(SoftwareTitle, each).asset_count for each in (both, old, new)] == [1, 0, 1]


@pytest.mark.one_database
def test_software_stays_where_only_one_list_was_ever_read(msp: Msp) -> None:
    keep_id, other_id = import_pair(msp)
    had = set(software_of(keep_id))
    with transaction() as session:
        session.query(AssetSoftware).filter_by(asset_id=other_id).delete()
    change(other_id, software_read_at=None)
    merge(keep_id, other_id)
    assert set(software_of(keep_id)) == had
    assert had


@pytest.mark.one_database
def test_what_a_person_edited_stays_and_that_of_the_kept_asset_first(msp: Msp) -> None:
    keep_id, other_id = import_pair(msp)
    see_last(other_id, keep_id)
    keep, other = get(Asset, keep_id), get(Asset, other_id)
    edit_asset(keep_id, AssetEdit("Front desk", "", keep.asset_type, keep.client_id))
    edit_asset(other_id, AssetEdit("Reception", "By the door", other.asset_type, other.client_id))
    merge(keep_id, other_id)
    merged = get(Asset, keep_id)
    assert (merged.name, merged.description) == ("Front desk", None)
    assert merged.note == f"Note of {keep_id}\n\nNote of {other_id}"
    assert set(list_locked(merged)) == {"name", "description"}
    msp.sync()
    assert get(Asset, keep_id).name == "Front desk"


def test_an_edit_of_the_other_asset_comes_along(msp: Msp) -> None:
    keep_id, other_id = import_pair(msp)
    other = get(Asset, other_id)
    edit_asset(other_id, AssetEdit("Reception", "", other.asset_type, other.client_id))
    merge(keep_id, other_id)
    assert get(Asset, keep_id).name == "Reception"
    assert "name" in list_locked(get(Asset, keep_id))


@pytest.mark.one_database
def test_addresses_lead_on_through_every_merge(msp: Msp) -> None:
    first, second = import_pair(msp)
    third = db.session.scalar(
        select(Asset.id).where(
            Asset.client_id == get(Asset, first).client_id, Asset.id.not_in([first, second])
        )
    )
    assert third is not None
    merge(second, first)
    merge(third, second)
    for gone in (first, second):
        with pytest.raises(AssetMerged) as led:
            get_asset(gone)
        assert led.value.into_id == third
    assert len(agents_of(third)) == 2
    with pytest.raises(NotFound):
        merge(third, first)


def test_the_id_of_a_merged_asset_is_given_to_no_other(msp: Msp) -> None:
    import_pair(msp)
    newest = db.session.scalars(select(Asset).order_by(Asset.id.desc())).all()
    last = newest[0]
    keep = next(each for each in newest[1:] if each.client_id == last.client_id)
    db.session.rollback()
    merge(keep.id, last.id)
    with transaction() as session:
        session.query(SupersededAgent).delete()
    msp.sync()  # the agent is listed, and has no asset any more
    assert max(db.session.scalars(select(Asset.id))) > last.id


def test_questions_about_the_other_asset_are_asked_of_the_kept_one(msp: Msp) -> None:
    keep_id, other_id = import_pair(msp)
    third = db.session.scalar(select(Asset.id).where(Asset.id.not_in([keep_id, other_id])))
    assert third is not None
    about_both = add_conflict(other_id, keep_id)
    about_third = add_conflict(other_id, third, "same_name")
    apart = add_conflict(keep_id, other_id, "same_mac")
    with transaction() as session:
        row = session.get_one(AssetConflict, apart)
        row.settled_at, row.settled_as = utc_now(), Settlement.SEPARATE
    merge(keep_id, other_id)
    answered = get(AssetConflict, about_both)
    assert (answered.asset_id, answered.other_asset_id) == (keep_id, None)
    assert answered.settled_as is Settlement.MERGE
    asked = get(AssetConflict, about_third)
    assert (asked.asset_id, asked.other_asset_id, asked.settled_at) == (keep_id, third, None)
    # What was kept apart is one asset now: no agent is kept apart from its own.
    remembered = get(AssetConflict, apart)
    assert (remembered.asset_id, remembered.other_asset_id) == (keep_id, None)


@pytest.mark.one_database
def test_a_superseded_agent_is_so_since_it_was_seen_last(msp: Msp) -> None:
    """Else it would look as if it had checked in again."""
    keep_id, other_id = import_pair(msp)
    ahead = utc_now() + timedelta(minutes=5)
    change(other_id, last_seen_at=ahead)
    merge(keep_id, other_id, agent_of=keep_id)
    row = db.session.scalars(select(SupersededAgent)).one()
    assert row.superseded_at == ahead


def test_an_agent_that_was_superseded_is_so_once_and_none_that_is_current(msp: Msp) -> None:
    keep_id, other_id = import_pair(msp)
    see_last(keep_id, other_id)
    keep, other = get(Asset, keep_id), get(Asset, other_id)
    with transaction() as session:
        for agent_id in (keep.rmm_device_id, other.rmm_device_id):
            session.add(
                SupersededAgent(
                    integration_id=keep.integration_id,
                    agent_id=agent_id,
                    asset_id=keep_id,
                    superseded_at=utc_now() - timedelta(days=1),
                    revived_at=utc_now(),
                )
            )
    merge(keep_id, other_id)
    assert agents_of(keep_id) == [other.rmm_device_id]
    assert db.session.scalars(select(SupersededAgent)).one().revived_at is None


@pytest.mark.parametrize("current", ["keep", "other"])
def test_missing_and_retired_go_with_the_agent(msp: Msp, current: str) -> None:
    """A listed agent wins over a missing one that was seen later."""
    keep_id, other_id = import_pair(msp)
    here, gone = (keep_id, other_id) if current == "keep" else (other_id, keep_id)
    see_last(gone, here)
    change(gone, missing_since=utc_now(), retired_at=utc_now(), absent_runs=4)
    agent = get(Asset, here).rmm_device_id
    merge(keep_id, other_id)
    merged = get(Asset, keep_id)
    assert merged.rmm_device_id == agent
    assert (merged.missing_since, merged.retired_at, merged.absent_runs) == (None, None, 0)
    told = events(EventType.DEVICE_RESTORED)
    assert [event.payload["asset_id"] for event in told] == ([keep_id] if keep_id == gone else [])


def test_two_retired_assets_are_a_retired_one(msp: Msp) -> None:
    keep_id, other_id = import_pair(msp)
    now = utc_now()
    for asset_id in (keep_id, other_id):
        change(asset_id, missing_since=now, retired_at=now)
    merge(keep_id, other_id)
    merged = get(Asset, keep_id)
    assert (merged.missing_since, merged.retired_at) == (now, now)


@pytest.mark.parametrize("kept_is_old", [True, False])
def test_an_asset_of_a_replaced_server_and_a_live_one_are_asked_for_at_the_live_one(
    msp: Msp, kept_is_old: bool
) -> None:
    old_id, _ = import_pair(msp)
    with transaction() as session:
        session.execute(update(Integration).values(state=IntegrationState.HELD))
    live = decide_server(ServerChoice.NEW)
    msp.import_fleet()
    old = get(Asset, old_id)
    assert old.integration_id != live.id
    new = db.session.scalars(
        select(Asset).filter_by(integration_id=live.id, client_id=old.client_id)
    ).first()
    assert new is not None
    db.session.rollback()
    change(old_id, last_seen_at=utc_now())
    change(new.id, last_seen_at=None)
    pair = (old_id, new.id) if kept_is_old else (new.id, old_id)
    lost, agent = (old.integration_id, old.rmm_device_id), new.rmm_device_id
    merge(*pair)
    merged = get(Asset, pair[0])
    assert (merged.integration_id, merged.rmm_device_id) == (live.id, agent)
    superseded = db.session.scalars(select(SupersededAgent)).one()
    assert (superseded.integration_id, superseded.agent_id) == lost
    run = msp.sync()
    assert run.created == 0


def test_what_the_old_server_had_is_set_aside_as_a_whole(msp: Msp) -> None:
    keep_id, other_id = import_pair(msp)
    add_conflict(keep_id, None, "several")
    merge(keep_id, other_id)
    with transaction() as session:
        session.execute(update(Integration).values(state=IntegrationState.HELD))
    live = decide_server(ServerChoice.NEW)
    for table in (Asset, AssetConflict, RemovedAsset, SupersededAgent, OrganizationMapping):
        of = set(db.session.scalars(select(table.integration_id)))
        assert of, table
        assert live.id not in of, table


def test_what_is_no_merge_is_refused_and_nothing_is_written(msp: Msp) -> None:
    keep_id, other_id = import_pair(msp)
    before = read_tables()
    stranger = add_client("Stranger")
    with pytest.raises(Refused, match="merged with itself"):
        merge(keep_id, keep_id)
    with pytest.raises(NotFound, match="does not exist any more"):
        merge(keep_id, 10**9)
    change(other_id, client_id=stranger.id)
    with pytest.raises(Refused, match=r"belongs to .* to Stranger"):
        merge(keep_id, other_id)
    change(other_id, client_id=get(Asset, keep_id).client_id)
    assert read_tables() == before


def test_two_servers_that_are_both_in_use_are_kept_apart(msp: Msp) -> None:
    keep_id, other_id = import_pair(msp)
    with transaction() as session:
        first = session.get_one(Integration, get(Asset, keep_id).integration_id)
        second = Integration(
            provider="another",
            page_size=100,
            device_sync_minutes=60,
            alert_sync_minutes=10,
            delivery_days=30,
            server_verified=False,
            state=first.state,
        )
        session.add(second)
        session.flush()
        session.get_one(Asset, other_id).integration_id = second.id
    with pytest.raises(PortalError, match="two connections"):
        merge(keep_id, other_id)


def test_a_client_given_by_hand_goes_with_the_merge(msp: Msp) -> None:
    """A re-installed computer comes back to the client of its organization."""
    keep_id, other_id = import_pair(msp)
    organization = get(Asset, keep_id).rmm_organization_id
    change(other_id, rmm_organization_id=organization)
    given = add_client("Given by hand")
    keep = get(Asset, keep_id)
    edit_asset(keep_id, AssetEdit(keep.name, keep.description or "", keep.asset_type, given.id))
    merge(other_id, keep_id)
    merged = get(Asset, other_id)
    assert (merged.client_id, merged.client_locked) == (given.id, True)
