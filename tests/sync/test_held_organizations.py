"""Organizations that go all at once are held for a person."""

from __future__ import annotations

import pytest

from portal.errors import NotFound, Refused
from portal.models import SyncRun
from portal.models.events.event import EventType
from portal.models.runs.sync_run import RunStatus, SyncKind
from portal.services.organizations.held import find_held_ids, keep, list_held, mark_as_gone
from portal.services.organizations.listing import OrganizationFilter, count_organizations
from portal.services.runs.reverts import NOTHING_DONE, find_obstacle
from tests.events.conftest import events
from tests.support.msp import Msp, counted

REASON = (
    "Tactical no longer lists 2 of 3 organizations, which is more than 1 and more than 20 %. They "
    "stay as they are until a person decides."
)


@pytest.fixture
def held(msp: Msp) -> SyncRun:
    """Two of three are gone, where one may be."""
    msp.import_fleet(brake_assets=1)
    for pk in (1, 2):
        msp.tactical.control.places.remove_client(pk=pk)
    return msp.sync(SyncKind.ORGANIZATIONS)


def find_gone(msp: Msp) -> set[str]:
    return {key for key, row in msp.organizations().items() if row["gone_since"] is not None}


def count(*shown: OrganizationFilter) -> list[int]:
    counts = count_organizations()
    return [counts[each] for each in shown]


def test_more_than_the_brake_allows_are_left_to_a_person(msp: Msp, held: SyncRun) -> None:
    assert (held.status, held.error) == (RunStatus.HELD, REASON)
    assert counted(held) == {"seen": 1, "unchanged": 1}
    assert [(e.action, e.external_id) for e in msp.log(held)] == [("held", "1"), ("held", "2")]
    assert find_gone(msp) == set()
    waiting = list_held()
    assert [each.external_id for each in sorted(waiting, key=lambda each: each.id)] == ["1", "2"]
    assert all(each.assets > 0 for each in waiting)
    again = msp.sync(SyncKind.ORGANIZATIONS)
    assert (again.status, msp.log(again)) == (RunStatus.HELD, [])
    assert list_held() == waiting  # the same question, not a new one

    run = mark_as_gone(find_held_ids([]))
    assert (run.kind, run.title) == (SyncKind.MAPPING, "Marked 2 organizations as gone")
    assert {e.action for e in msp.log(run)} == {"gone"}
    assert find_obstacle(run) == NOTHING_DONE
    assert find_gone(msp) == {"1", "2"}
    assert count(OrganizationFilter.HELD, OrganizationFilter.GONE) == [0, 2]
    assert msp.sync(SyncKind.ORGANIZATIONS).status is RunStatus.SUCCESS
    with pytest.raises(Refused, match="somebody has decided"):
        keep([each.id for each in waiting])


@pytest.mark.one_database
def test_what_is_kept_is_not_asked_about_again(msp: Msp, held: SyncRun) -> None:
    one = list_held()[0]
    assert keep([one.id]).title == f"Kept {one.name}"
    [left] = list_held()
    keep([left.id])
    assert msp.sync(SyncKind.ORGANIZATIONS).status is RunStatus.SUCCESS
    assert find_gone(msp) == set()
    assert count(OrganizationFilter.HELD, OrganizationFilter.KEPT) == [0, 2]
    mark_as_gone([one.id])  # it was a mistake
    assert find_gone(msp) == {one.external_id}
    assert count(OrganizationFilter.KEPT) == [1]


@pytest.mark.one_database
def test_one_that_is_listed_again_waits_no_more_and_may_be_asked_about_anew(msp: Msp) -> None:
    msp.import_fleet(brake_assets=0, inventory_source="dashboard")
    listed = [
        {"id": c["pk"], "name": c["name"], "agent_count": c["agents"], "sites": []}
        for c in msp.tactical.control.truth.clients()
    ]

    def sync_without(*pks: int) -> SyncRun:
        body = [row for row in listed if row["id"] not in pks]
        msp.tactical.control.faults.add(kind="json", path="/clients/", times=1, body=body)
        return msp.sync(SyncKind.ORGANIZATIONS)

    assert sync_without(1).status is RunStatus.HELD
    keep([list_held()[0].id])
    run = sync_without()
    assert (run.status, counted(run)["updated"]) == (RunStatus.SUCCESS, 1)
    assert count(OrganizationFilter.HELD, OrganizationFilter.KEPT) == [0, 0]
    assert sync_without(1).status is RunStatus.HELD
    assert sync_without(1, 2, 3).status is RunStatus.PARTIAL  # an empty list proves nothing
    assert [each.external_id for each in list_held()] == ["1"]
    assert find_gone(msp) == set()


@pytest.mark.one_database
def test_below_the_limit_again_what_waits_goes_on_to_wait(msp: Msp, held: SyncRun) -> None:
    keep(find_held_ids(["1"]))
    run = msp.sync(SyncKind.ORGANIZATIONS)
    assert (run.status, run.error) == (
        RunStatus.HELD,
        "1 organization that Tactical no longer lists waits for a person's decision.",
    )
    with pytest.raises(NotFound, match="7 does not wait"):
        find_held_ids(["1", "7"])


@pytest.mark.one_database
def test_a_device_sync_goes_on_and_says_so(msp: Msp) -> None:
    msp.import_fleet(brake_assets=1, brake_percent=20)
    for pk in (1, 2):
        msp.tactical.control.places.remove_client(pk=pk)
    run = msp.sync()
    [note] = msp.log(run, "note")
    assert note.reason == REASON
    assert len(list_held()) == 2
    assert run.seen > 0


@pytest.mark.one_database
def test_whoever_listens_is_told_how_many_wait(msp: Msp, held: SyncRun) -> None:
    msp.sync()
    msp.sync(SyncKind.STATUS)
    ended = [event.payload for event in events() if event.type == EventType.SYNC_COMPLETED]
    [of_organizations, of_devices] = ended[-2:]
    assert (of_organizations["run_id"], of_organizations["held_organizations"]) == (held.id, 2)
    assert (of_devices["kind"], of_devices["held_organizations"]) == ("devices", 2)
