"""What a worker does for somebody who waits: pending, then its outcome."""

from __future__ import annotations

import json

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from portal.errors import Refused
from portal.extensions import htmx
from portal.models import Errand
from portal.models.errands.errand import ErrandKind
from portal.services.accounts.permissions import Permission
from portal.services.errands.stopping import stop_errand
from portal.web.errands.following import get_shown_errand, unfollow
from portal.web.fragments import find_way_back, with_toast
from portal.web.guard import requires, tenant_blueprint

errands = tenant_blueprint("errands", __name__, "/requests")

TRIGGERS = {
    ErrandKind.ACT_ON_ALERTS: "alerts-changed",
    ErrandKind.LINK_TICKET: "alerts-changed",
    ErrandKind.UPDATE_SECRET: "secret-changed",
}
"""The event by which parts of the page learn that they are old."""
OF_ALL_PAGES = (
    *(ErrandKind.SIGN_IN, ErrandKind.PROBE_HELPDESK, ErrandKind.LIST_CHOICES),
    ErrandKind.SETTLE_TICKET,
)
"""Their end changes so much that the page is loaded anew, which then shows it."""


@errands.get("/<int:errand_id>")
@requires(Permission.READ)
def show(errand_id: int) -> ResponseReturnValue:
    """The notice as it is now; one that went well becomes a toast."""
    errand = get_shown_errand(errand_id)
    return _show(errand) if htmx else redirect(url_for("dashboard.show"))


@errands.post("/<int:errand_id>/stop")
@requires(Permission.ACT_ON_ALERTS)
def stop(errand_id: int) -> ResponseReturnValue:
    """Of alerts alone there are so many. What ended meanwhile is shown with its outcome."""
    get_shown_errand(errand_id)
    try:
        stop_errand(errand_id)
    except Refused as error:
        if htmx and get_shown_errand(errand_id).ok is None:
            raise
        if not htmx:
            flash(error.message, "info")
    if htmx:
        return _show(get_shown_errand(errand_id))
    return redirect(find_way_back(url_for("dashboard.show")))


def _show(errand: Errand) -> ResponseReturnValue:
    if errand.ok is None:
        return render_template("errands/_errand.html", errand=errand)
    if errand.kind in OF_ALL_PAGES:
        return "", 200, {"HX-Refresh": "true"}
    unfollow(errand)
    trigger = TRIGGERS.get(errand.kind, "errand-done")
    if errand.ok:
        undo = errand.wanted.get("undo")
        return with_toast("", errand.message or "", undo=undo, triggers=[trigger])
    text = render_template("errands/_errand.html", errand=errand)
    return text, 200, {"HX-Trigger": json.dumps({trigger: True})}
