"""Watches of software: made from a product's page, listed, switched off, removed."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from portal.db import db
from portal.models import AuditEntry, Event, Notice, SoftwareWatch
from portal.models.notices.notice import NoticeKind
from portal.scope import tenant_scope
from portal.services.notices.detection import look
from tests.web.lists.test_undo import do, press
from tests.web.world import Place

pytestmark = pytest.mark.one_database


def test_a_watch_is_made_with_what_was_asked_of_the_product(
    admin: FlaskClient, acme: Place
) -> None:
    product = acme.url(f"software/products/{acme.product}")
    asked = f"older_than=1.3&amp;client_id={acme.client}"
    assert f"{product}/watch?{asked}" in admin.get(f"{product}?{asked.replace('&amp;', '&')}").text
    form = admin.get(f"{product}/watch?{asked.replace('&amp;', '&')}").text
    assert 'value="1.3"' in form
    assert "Acme Client" in form

    refused = admin.post(f"{product}/watch", data={"older_than": "soon", "client_name": "x"})
    assert refused.status_code == 422
    assert "Choose the client from the list of clients." in refused.text
    refused = admin.post(f"{product}/watch", data={"older_than": "soon"})
    assert "This is not a version." in refused.text
    assert 'value="soon"' in refused.text

    made = admin.post(f"{product}/watch", data={"older_than": "1.3", "client_id": acme.client})
    page = admin.get(made.location).text
    assert "Acme Suite older than 1.3" in page
    assert "At Acme Client, 1 asset matches now" in page
    assert acme.url(f"assets/{acme.asset}/software") in page
    assert "2 software watches match now." in admin.get(acme.url()).text


def test_a_watch_is_switched_off_and_removed(admin: FlaskClient, acme: Place) -> None:
    page, index = acme.url(f"software/watches/{acme.watch}"), acme.url("software/watches/")
    assert "Acme Suite older than 2.0" in admin.get(index).text
    admin.post(f"{page}/switch", data={"on": ""})
    assert "Nothing matches it until it is switched on again." in admin.get(page).text
    assert "software watch matches" not in admin.get(acme.url()).text
    admin.post(f"{page}/switch", data={"on": "1"})
    assert "1 asset matches now" in admin.get(page).text
    assert "1 software watch matches now." in admin.get(acme.url()).text
    removed = admin.post(f"{page}/remove", follow_redirects=True).text
    assert "Removed the watch for Acme Suite older than 2.0." in removed
    assert "No watches yet" in removed
    assert admin.get(page).status_code == 404


def test_a_watch_that_comes_back_is_the_same_and_its_notice_goes_on(
    app: Flask, admin: FlaskClient, acme: Place
) -> None:
    """Nothing asks before it is switched off or removed: the toast takes it back."""
    path = f"software/watches/{acme.watch}"
    assert "data-confirm" not in admin.get(acme.url(path)).text.partition("<main")[2]
    _look(app)
    off = do(admin, acme, f"{path}/switch", on="")
    _look(app)
    said = "Undone: the watch for Acme Suite older than 2.0 is on again."
    assert press(admin, off, acme.url(path)) == said
    assert not do(admin, acme, f"{path}/switch", on="1")  # it is on
    removed = do(admin, acme, f"{path}/remove")
    _look(app)
    assert admin.get(acme.url(path)).status_code == 404
    back = "The watch for Acme Suite older than 2.0 is back."
    assert press(admin, removed, acme.url(path)) == back
    assert "1 asset matches now" in admin.get(acme.url(path)).text
    _look(app)

    with app.app_context(), tenant_scope(acme.id):
        of_watches = select(Notice).where(Notice.kind == NoticeKind.WATCH_MATCHES)
        [notice] = db.session.scalars(of_watches).all()
        assert (notice.subject, notice.calm_since) == (str(acme.watch), None)
        told = [
            each.type.rpartition(".")[2]
            for each in db.session.scalars(
                select(Event).where(Event.type.like("software.watch.%")).order_by(Event.id)
            )
        ]
        assert told == ["cleared", "matched", "cleared", "matched"]
        of_watch = select(AuditEntry.action).where(AuditEntry.action.like("watch.%"))
        done = list(db.session.scalars(of_watch.order_by(AuditEntry.number)))
        assert done == [
            f"watch.{each}" for each in ("switched_off", "switched_on", "removed", "restored")
        ]


def test_what_changed_since_is_not_undone(admin: FlaskClient, acme: Place) -> None:
    path = f"software/watches/{acme.watch}"
    off = do(admin, acme, f"{path}/switch", on="")
    do(admin, acme, f"{path}/switch", on="1")
    assert press(admin, off) == "It was changed since, so nothing was undone."
    off = do(admin, acme, f"{path}/switch", on="")
    removed = do(admin, acme, f"{path}/remove")
    assert press(admin, off) == "It was changed since, so nothing was undone."
    watch = acme.url(f"software/products/{acme.product}/watch")
    made = admin.post(watch, data={"older_than": "2.0"})
    assert not made.location.endswith(f"/{acme.watch}")  # no other gets its number
    assert "Acme Suite older than 2.0" in admin.get(made.location).text
    assert press(admin, removed) == "There is such a watch already."


def _look(app: Flask) -> None:
    with app.app_context():
        look()


def test_those_that_are_ticked_are_switched_removed_and_brought_back(
    app: Flask, admin: FlaskClient, acme: Place
) -> None:
    def states() -> list[bool]:
        with app.app_context(), tenant_scope(acme.id):
            return list(db.session.scalars(select(SoftwareWatch.active)))

    admin.post(acme.url(f"software/products/{acme.product}/watch"), data={"older_than": ""})
    with app.app_context(), tenant_scope(acme.id):
        both = {"watch": db.session.scalars(select(SoftwareWatch.id)).all()}
    assert 'form="chosen-watches"' in admin.get(acme.url("software/watches/")).text
    one = do(admin, acme, "software/watches/switch", watch=acme.watch, on="")
    rest = do(admin, acme, "software/watches/switch", **both, on="")
    assert states() == [False, False]
    for offer in (rest, one):  # the one switched the other alone
        assert press(admin, offer).endswith("is on again.")
    off = do(admin, acme, "software/watches/switch", **both, on="")
    assert press(admin, off) == "Undone: switched off 2 watches."
    assert states() == [True, True]
    removed = do(admin, acme, "software/watches/remove", **both)
    assert states() == []
    assert press(admin, removed) == "2 watches are back."
    assert states() == [True, True]
    removed = do(admin, acme, "software/watches/remove", **both)
    add = acme.url(f"software/products/{acme.product}/watch")
    admin.post(add, data={"older_than": ""}, follow_redirects=True)
    assert "1 could not come back. There is such a watch already." in press(admin, removed)
    none = admin.post(acme.url("software/watches/remove"), follow_redirects=True).text
    assert "Select at least one watch." in none
