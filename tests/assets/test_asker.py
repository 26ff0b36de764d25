"""What many assets undergo is done as long as whoever asked for it may, and to what they see."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from portal.clock import utc_now
from portal.db import count_changed, db, transaction
from portal.models import (
    Asset,
    Client,
    Membership,
    MembershipClient,
    OrganizationMapping,
    SyncRun,
    User,
)
from portal.models.runs.sync_run import RunStatus
from portal.services.accounts.asker import NOT_ANY_MORE
from portal.services.accounts.users import add_user
from portal.services.assets import retirement
from portal.services.assets.choosing import Chosen
from portal.services.assets.deletion import request_deletion
from portal.services.assets.retirement import request_restoring, request_retirement, retire_assets
from portal.services.runs import execution
from portal.services.runs.clearing import request_clearing
from portal.services.runs.history import get_run
from portal.services.runs.reverts import request_revert, revert_to_end
from portal.sync.devices import asset_changes
from portal.sync.devices.asset_changes import AssetAction
from portal.sync.reverting import run as reverting
from tests.assets.test_retirement import some_missing
from tests.support.msp import Msp, counted

pytestmark = pytest.mark.mainly("postgresql")


@pytest.fixture
def ids(msp: Msp, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Five missing assets, two of which are changed at a time, and by a worker."""
    monkeypatch.setattr(retirement, "DONE_AT_ONCE", 0)
    monkeypatch.setattr(asset_changes, "ASSETS_AT_ONCE", 2)
    return some_missing(msp, 5)


def add_person(role: str = "technician") -> int:
    return add_user("ann@acme.example", "correct horse battery", "acme", role).id


def retired() -> set[int]:
    return {*db.session.scalars(select(Asset.id).where(Asset.retired_at.is_not(None)))}


def meanwhile(
    monkeypatch: pytest.MonkeyPatch,
    statement: Any,
    module: ModuleType = asset_changes,
    name: str = "_change",
) -> None:
    """Run it when the first two are changed, by the function of that name."""
    change, left = getattr(module, name), [statement]

    def change_and_run(session: Session, *args: Any) -> Any:
        made = change(session, *args)
        while left:
            count_changed(session, left.pop())
        return made

    monkeypatch.setattr(module, name, change_and_run)


def ask(action: AssetAction, ids: list[int], user_id: int) -> int:
    match action:
        case AssetAction.RETIRE:
            return request_retirement(Chosen(ids), user_id).run.id
        case AssetAction.RESTORE:
            retire_assets(Chosen(ids))
            return request_restoring(Chosen(ids), user_id).run.id
        case AssetAction.DELETE:
            retire_assets(Chosen(ids))
            return request_deletion(Chosen(ids), len(ids), user_id).id


@pytest.mark.parametrize(
    ("action", "role", "change"),
    [
        (AssetAction.RETIRE, "technician", update(Membership).values(disabled_at=utc_now())),
        (AssetAction.RETIRE, "technician", update(Membership).values(role="viewer")),
        (AssetAction.RETIRE, "technician", delete(Membership)),
        (AssetAction.RESTORE, "technician", update(Membership).values(role="viewer")),
        (AssetAction.DELETE, "owner", update(Membership).values(role="admin")),
    ],
)
def test_it_ends_with_the_right_of_whoever_asked(
    ids: list[int],
    monkeypatch: pytest.MonkeyPatch,
    action: AssetAction,
    role: str,
    change: Any,
) -> None:
    user_id = add_person(role)
    run_id = ask(action, ids, user_id)
    meanwhile(monkeypatch, change.where(Membership.user_id == user_id))
    execution.run_queued(run_id)
    run = get_run(run_id)
    assert (run.status, run.error) == (RunStatus.FAILED, NOT_ANY_MORE)
    assert run.retired + run.updated + run.removed == 2
    still = {*db.session.scalars(select(Asset.id).where(Asset.id.in_(ids)))}
    done = {
        AssetAction.RETIRE: retired(),
        AssetAction.RESTORE: {*ids} - retired(),
        AssetAction.DELETE: {*ids} - still,
    }
    assert done[action] == {*ids[:2]}


WITHOUT_RIGHT = (
    update(Membership).values(disabled_at=utc_now()),
    update(Membership).values(role="viewer"),
    delete(Membership),
)


@pytest.mark.parametrize("change", WITHOUT_RIGHT)
def test_so_does_the_undoing_of_it(
    ids: list[int], monkeypatch: pytest.MonkeyPatch, change: Any
) -> None:
    user_id, done = add_person(), retire_assets(Chosen(ids)).run
    run_id = request_revert(done.id, user_id).id
    monkeypatch.setattr(reverting, "ASSETS_AT_ONCE", 2)
    change = change.where(Membership.user_id == user_id)
    meanwhile(monkeypatch, change, reverting, "write_changes")
    execution.run_queued(run_id)
    run = get_run(run_id)
    assert (run.status, run.error) == (RunStatus.FAILED, NOT_ANY_MORE)
    assert (run.updated, retired()) == (2, {*ids[2:]})
    revert_to_end(done.id)  # somebody who may goes on with it
    assert retired() == set()


@pytest.mark.parametrize("change", [*WITHOUT_RIGHT, update(Membership).values(limited=True)])
def test_of_a_sync_nothing_is_undone_without_the_right_to(msp: Msp, change: Any) -> None:
    """Whoever is limited to some clients undoes none."""
    done, user_id = msp.import_fleet(), add_person()
    number = count_assets()
    assert number
    undoing = request_revert(done.id, user_id)
    clearing = request_clearing(None, number, edited_too=False, user_id=user_id)
    with transaction() as session:
        session.execute(change.where(Membership.user_id == user_id))
    for run_id in (undoing.id, clearing.id):
        execution.run_queued(run_id)
        run = get_run(run_id)
        assert (run.status, run.error) == (RunStatus.FAILED, NOT_ANY_MORE)
    mapped = select(OrganizationMapping.id).where(OrganizationMapping.client_id.is_not(None))
    assert (count_assets(), db.session.scalar(mapped.limit(1)) is not None) == (number, True)


def count_assets() -> int:
    return db.session.scalar(select(func.count()).select_from(Asset)) or 0


@pytest.mark.one_database
def test_nothing_is_done_for_a_person_who_is_no_more(ids: list[int]) -> None:
    user_id = add_person()
    run_id = ask(AssetAction.RETIRE, ids, user_id)
    with transaction() as session:
        session.execute(delete(User).where(User.id == user_id))
    execution.run_queued(run_id)
    run = get_run(run_id)
    assert (run.status, run.error, retired()) == (RunStatus.FAILED, NOT_ANY_MORE, set())


def limit(user_id: int, ids: list[int]) -> None:
    """To another client, whose assets these are from now on."""
    with transaction() as session:
        place = session.scalars(select(Membership).filter_by(user_id=user_id)).one()
        other = Client(name="Other")
        session.add(other)
        session.flush()
        place.limited = True
        session.add(MembershipClient(membership_id=place.id, client_id=other.id))
        for asset_id in ids:
            session.get_one(Asset, asset_id).client_id = other.id


def test_nor_is_what_they_see_no_more_undone(msp: Msp, ids: list[int]) -> None:
    user_id, done = add_person(), retire_assets(Chosen(ids)).run
    run_id = request_revert(done.id, user_id).id
    limit(user_id, ids[1:3])
    execution.run_queued(run_id)
    run = get_run(run_id)
    assert (run.status, retired()) == (RunStatus.PARTIAL, {*ids} - {*ids[1:3]})
    [left] = msp.log(run, "warning")
    assert left.reason == reverting.NOT_SEEN.format("3 assets")


def test_what_whoever_asked_sees_no_more_stays_as_it_is(msp: Msp, ids: list[int]) -> None:
    user_id = add_person()
    run_id = ask(AssetAction.RETIRE, ids, user_id)
    limit(user_id, ids[1:3])
    execution.run_queued(run_id)
    run = get_run(run_id)
    assert (run.status, run.title, retired()) == (
        RunStatus.SUCCESS,
        "Retired 2 assets",
        {*ids[1:3]},
    )
    assert counted(run) == {"seen": 5, "retired": 2, "unchanged": 3}


@pytest.mark.one_database
def test_a_command_needs_no_person(ids: list[int]) -> None:
    run = retire_assets(Chosen(ids)).run
    assert (run.trigger, run.requested_by, len(retired())) == ("command", None, 5)
    assert db.session.get_one(SyncRun, run.id).status is RunStatus.SUCCESS
