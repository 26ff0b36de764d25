"""The pages of notices: what is wrong, and which notices a person gets."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from portal.clock import utc_now
from portal.db import db
from portal.models import AuditEntry, Integration, Membership, NoticeChoice
from portal.models.integrations.integration import Stop
from portal.models.notices.notice import NoticeKind
from portal.services.notices.detection import look
from portal.services.notices.kinds import KINDS
from tests.notices.conftest import add_channel, change, membership
from tests.web.world import Place, make_user, sign_in

pytestmark = pytest.mark.one_database

PATH = "notices/choices"
BOX = 'type="checkbox"'


def open_as(app: Flask, http: FlaskClient, place: Place, role: str) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    sign_in(app, http, make_user(app, f"{role}@acme.example", place, role=role))


def read_choices(http: FlaskClient, place: Place) -> str:
    """Without the dialogs, in which there are boxes too."""
    return http.get(place.url(PATH)).text.partition("</main>")[0]


def test_without_a_channel_the_page_says_what_comes(
    app: Flask, http: FlaskClient, scope: Place
) -> None:
    open_as(app, http, scope, "admin")
    text = read_choices(http, scope)
    assert "There is no channel yet" in text
    assert "you get all notices at admin@acme.example" in text


def test_an_admin_sees_the_default_ticked(
    app: Flask, http: FlaskClient, scope: Place, mail: int
) -> None:
    add_channel("slack", "Room")
    open_as(app, http, scope, "admin")
    text = read_choices(http, scope)
    assert text.count(" checked") == len(KINDS)
    assert text.count(BOX) == 2 * len(KINDS)
    assert "Owners and admins get all notices by the first mail channel" in text


def test_a_technician_has_none_ticked_and_chooses(
    app: Flask, http: FlaskClient, scope: Place, mail: int
) -> None:
    open_as(app, http, scope, "technician")
    text = read_choices(http, scope)
    assert " checked" not in text
    assert "Your role gets no notices until you choose some." in text

    answer = http.post(scope.url(PATH), data={"choice": [f"code_needed:{mail}"]})

    assert answer.status_code == 302
    text = read_choices(http, scope)
    assert text.count(" checked") == 1
    assert f'value="code_needed:{mail}" checked' in text
    row = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "notices.chosen")).one()
    assert row.before == {"notices": []}
    assert row.after == {"notices": ["code_needed by Mail"]}


def test_a_choice_replaces_the_one_before_and_may_be_none(
    app: Flask, http: FlaskClient, scope: Place, mail: int
) -> None:
    open_as(app, http, scope, "admin")
    for chosen in ([f"sync_held:{mail}"], []):
        http.post(scope.url(PATH), data={"choice": chosen})
        db.session.rollback()
        found = db.session.scalars(select(NoticeChoice.kind)).all()
        assert [f"{kind}:{mail}" for kind in found] == chosen
    assert " checked" not in read_choices(http, scope)


@pytest.mark.parametrize("choice", ["code_needed:99", "code_needed:x", "nothing:1", ":", "9" * 30])
def test_what_is_no_box_is_refused(
    app: Flask, http: FlaskClient, scope: Place, mail: int, choice: str
) -> None:
    open_as(app, http, scope, "admin")
    answer = http.post(scope.url(PATH), data={"choice": [choice, f"sync_held:{mail}"]})
    assert answer.status_code == 422
    assert "Choose again." in answer.text
    assert db.session.scalars(select(NoticeChoice)).all() == []


def test_who_is_limited_to_some_clients_has_no_notices(
    app: Flask, http: FlaskClient, scope: Place, mail: int
) -> None:
    open_as(app, http, scope, "technician")
    change(Membership, membership("technician"), limited=True)
    assert http.get(scope.url("notices/")).status_code == 403
    assert http.get(scope.url(PATH)).status_code == 403
    assert http.post(scope.url(PATH)).status_code == 403
    assert "Your notices of" not in http.get("/account").text


def test_the_account_leads_to_the_choices(app: Flask, http: FlaskClient, scope: Place) -> None:
    open_as(app, http, scope, "viewer")
    assert f'href="{scope.url(PATH)}"' in http.get("/account").text
    assert f'href="{scope.url("notices/")}"' in http.get(scope.url("activity/")).text


def test_the_list_shows_what_lasts_and_what_is_over(
    app: Flask, http: FlaskClient, scope: Place, mail: int
) -> None:
    open_as(app, http, scope, "viewer")
    assert "No open notices" in http.get(scope.url("notices/")).text
    change(Integration, stopped_for=Stop.CODE_NEEDED, stopped_at=utc_now())
    look()
    text = http.get(scope.url("notices/")).text
    title = KINDS[NoticeKind.CODE_NEEDED].title
    assert title in text
    assert "1 waiting" in text
    assert 'aria-label="Over"' not in text
    change(Integration, stopped_for=None)
    look()
    text = http.get(scope.url("notices/")).text
    assert text.index("No open notices") < text.index('aria-label="Over"') < text.index(title)
