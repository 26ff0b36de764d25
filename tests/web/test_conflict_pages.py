"""The pages of conflicts and of merging by hand."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Page, expect
from sqlalchemy import select

from portal.db import db, transaction
from portal.models import Asset, AssetConflict, SyncRun
from portal.models.runs.sync_run import SyncKind
from portal.scope import tenant_scope
from portal.services.accounts.users import add_user
from tests.web.accessible import assert_right_in_each_look
from tests.web.lists.test_undo import do, press
from tests.web.test_in_browser import EMAIL, PASSWORD, sign_in
from tests.web.world import Place, make_asset, make_conflict

pytestmark = pytest.mark.mainly("postgresql")


def add_conflicts(app: Flask, place: Place, number: int) -> list[int]:
    """Each between an asset `old-N` and a younger one `new-N`; their ids."""
    with app.app_context(), tenant_scope(place.id), transaction() as session:
        first = session.get_one(Asset, place.asset)
        ids = []
        for index in range(number):
            old, new = (
                make_asset(
                    first.integration_id, first.client_id, f"{word}-{index}", serial_number="S-1"
                )
                for word in ("old", "new")
            )
            session.add_all((old, new))
            session.flush()
            conflict = make_conflict(new, old, "clone")
            session.add(conflict)
            session.flush()
            ids.append(conflict.id)
        return ids


def names_of(app: Flask, place: Place) -> set[str]:
    with app.app_context(), tenant_scope(place.id):
        return set(db.session.scalars(select(Asset.name)))


def test_both_sides_stand_beside_each_other(app: Flask, admin: FlaskClient, acme: Place) -> None:
    [conflict] = add_conflicts(app, acme, 1)
    html = admin.get(acme.url("conflicts/")).text
    assert "old-0" in html
    assert "new-0" in html
    assert f'id="conflict-{conflict}"' in html
    assert 'class="differs"' in html
    assert "1 conflict needs your decision." in admin.get(acme.url()).text
    assert re.search(r'nav-number">1<', admin.get(acme.url("alerts/")).text)
    assert ">Conflict<" in re.sub(r"\s*<svg.*?</svg>", "", admin.get(acme.url("assets/")).text)
    for name in ("old-0", "new-0"):
        listed = admin.get(acme.url(f"assets/?q={name}")).text
        way = re.search(r'href="([^"]*/conflicts/[^"]*q=[^"]+)"', listed)
        assert way
        assert f'id="conflict-{conflict}"' in admin.get(way.group(1)).text
    found = admin.get(acme.url(f"conflicts/{conflict}"))
    assert found.location.endswith(f"#conflict-{conflict}")


def test_one_is_settled_and_the_next_is_shown(app: Flask, admin: FlaskClient, acme: Place) -> None:
    first, second = add_conflicts(app, acme, 2)
    form = {"one": f"merge-{first}", f"after-{first}": str(second), "next": acme.url("conflicts/")}
    answer = admin.post(acme.url("conflicts/settle"), data=form)
    assert answer.location == acme.url(f"conflicts/#conflict-{second}")
    assert "Merged new-0 into old-0" in admin.get(acme.url("conflicts/")).text
    assert names_of(app, acme) == {"acme-pc", "new-0", "old-1", "new-1"}
    admin.post(acme.url("conflicts/settle"), data=form)
    decided = f"admin@acme.example has already decided: conflict {first} was settled by merging."
    assert decided in " ".join(admin.get(acme.url("conflicts/")).text.split())


def test_many_are_settled_at_once(app: Flask, admin: FlaskClient, acme: Place) -> None:
    ids = add_conflicts(app, acme, 3)
    form = {"all": "separate", "conflict": list(map(str, ids))}
    admin.post(acme.url("conflicts/settle"), data=form)
    html = admin.get(acme.url("conflicts/")).text
    assert "3 conflicts were settled by keeping both." in html
    assert "Nothing needs you here" in html
    assert len(names_of(app, acme)) == 7


def test_that_both_were_kept_can_be_undone(app: Flask, admin: FlaskClient, acme: Place) -> None:
    kept, merged = add_conflicts(app, acme, 2)
    for one in (f"separate-{kept}", f"merge-{merged}"):
        admin.post(acme.url("conflicts/settle"), data={"one": one})
    settled = admin.get(acme.url("conflicts/?show=settled")).text
    assert re.findall(r'value="(reopen-\d+)"', settled) == [f"reopen-{kept}"]

    for number in (kept, merged):
        admin.post(acme.url("conflicts/settle"), data={"one": f"reopen-{number}"})
    html = admin.get(acme.url("conflicts/")).text
    assert "The conflict is open again." in html
    assert f"Conflict {merged} cannot be opened again" in html
    assert f'value="separate-{kept}"' in html
    assert f'id="conflict-{merged}"' not in html


@pytest.mark.parametrize("how", ["merge", "relink", "separate"])
@pytest.mark.parametrize("number", [1, 2])
def test_what_was_decided_is_undone_from_the_message_after_it(
    app: Flask, admin: FlaskClient, acme: Place, how: str, number: int
) -> None:
    ids = add_conflicts(app, acme, number)
    before = names_of(app, acme)
    page = admin.get(acme.url("conflicts/")).text
    assert "data-confirm=" not in page[page.index("conflict-rows") :], "it asks nothing before"
    form = {"one": f"{how}-{ids[0]}"} if number == 1 else {"all": how, "conflict": ids}
    offer = do(admin, acme, "conflicts/settle", **form)
    assert (names_of(app, acme) == before) is (how == "separate")
    assert press(admin, offer).startswith("Undone: ")
    assert names_of(app, acme) == before
    open_again = set(re.findall(r'id="conflict-(\d+)"', admin.get(acme.url("conflicts/")).text))
    if how == "separate":
        assert open_again == set(map(str, ids))
    assert press(admin, offer) == "This was undone already."


@pytest.mark.one_database
def test_what_was_taken_back_is_applied_without_a_question(
    app: Flask, admin: FlaskClient, acme: Place
) -> None:
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        conflict = make_conflict(session.get_one(Asset, acme.asset), None, "reverted")
        session.add(conflict)
        session.flush()
        number = str(conflict.id)
    page = admin.get(acme.url("conflicts/?show=reverted")).text
    rows = page[page.index('id="conflict-rows"') :]
    assert 'value="apply"' in rows
    assert "data-confirm=" not in rows
    form = {"all": "apply", "conflict": number}
    assert "1 conflict was settled" in " ".join(
        admin.post(acme.url("conflicts/settle"), data=form, follow_redirects=True).text.split()
    )


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"one": "merge-x"},
        {"one": "reopen-x"},
        {"one": "gone-1"},
        {"all": "merge"},
        {"one": "apply-1", "next": "//evil.example"},
    ],
)
@pytest.mark.one_database
def test_what_is_no_decision_is_refused(
    admin: FlaskClient, acme: Place, form: dict[str, str]
) -> None:
    answer = admin.post(acme.url("conflicts/settle"), data=form)
    assert answer.status_code == 302
    assert answer.location.startswith(acme.url("conflicts/"))
    assert "toast" in admin.get(answer.location.partition("#")[0]).text


def test_a_viewer_decides_nothing(app: Flask, viewer: FlaskClient, acme: Place) -> None:
    [conflict] = add_conflicts(app, acme, 1)
    assert 'name="one"' not in viewer.get(acme.url("conflicts/")).text
    form = {"one": f"merge-{conflict}"}
    assert viewer.post(acme.url("conflicts/settle"), data=form).status_code == 403


def test_two_assets_are_merged_by_hand(app: Flask, admin: FlaskClient, acme: Place) -> None:
    add_conflicts(app, acme, 1)
    with app.app_context(), tenant_scope(acme.id):
        other = db.session.scalars(select(Asset.id).where(Asset.name == "old-0")).one()
    chooser = admin.get(acme.url(f"assets/{acme.asset}/merge?q=old")).text
    assert f"with={other}" in chooser
    assert "new-0" not in chooser.partition("merge-partners")[2]
    shown = admin.get(acme.url(f"assets/{other}/merge?with={acme.asset}")).text
    assert "1 alert, 1 software entry and 0 changes of history come along" in shown
    done = admin.post(acme.url(f"assets/{other}/merge"), data={"with": acme.asset})
    assert done.location == acme.url(f"assets/{other}")
    assert "Merged acme-pc into old-0" in admin.get(done.location).text
    for tab in ("", "/software", "/history"):
        old = admin.get(acme.url(f"assets/{acme.asset}{tab}?page=2"))
        assert old.location == acme.url(f"assets/{other}{tab}?page=2")
    assert "with acme-pc" in admin.get(acme.url(f"assets/{other}/history")).text
    with app.app_context(), tenant_scope(acme.id):
        run = db.session.scalars(select(SyncRun).filter_by(kind=SyncKind.MERGE)).one()
    assert admin.get(acme.url(f"sync-runs/{run.id}")).status_code == 200


def test_what_cannot_be_merged_is_said(admin: FlaskClient, acme: Place) -> None:
    where = acme.url(f"assets/{acme.asset}/merge")
    assert admin.get(f"{where}?with={acme.asset}").location == where
    assert "cannot be merged with itself" in admin.get(where).text
    admin.post(where, data={})
    assert "Choose the asset to merge with." in admin.get(where).text


@pytest.mark.one_database
def test_a_conflict_is_settled_by_keyboard(
    app: Flask, live_portal: str, page: Page, acme: Place
) -> None:
    first, second, _ = add_conflicts(app, acme, 3)
    with app.app_context():
        add_user(EMAIL, PASSWORD, acme.slug, "admin")
    sign_in(page, live_portal)
    page.goto(live_portal + acme.url("conflicts/"))
    assert_right_in_each_look(page)  # narrow from here on: the first is unfolded, then the next
    page.get_by_role("link", name="All about new-0 and old-0").click()
    page.get_by_role("button", name="Keep both: new-0 and old-0").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("you will not be asked about this again").first).to_be_visible()
    expect(page.locator(f"#conflict-{first}")).to_have_count(0)
    expect(page.locator(f"#conflict-{second}")).to_be_focused()
    page.get_by_role("button", name="Merge: new-1 and old-1").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Merged new-1 into old-1").first).to_be_visible()
    assert_right_in_each_look(page)
    with app.app_context(), tenant_scope(acme.id):
        settled = select(AssetConflict.id).where(AssetConflict.settled_at.is_not(None))
        assert set(db.session.scalars(settled)) == {first, second}
