"""What a worker does for somebody who waits: pending, then its outcome."""

from __future__ import annotations

import json

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from portal.extensions import htmx
from portal.models.errands.errand import ErrandKind
from portal.services.accounts.permissions import Permission
from portal.web.errands.following import get_shown_errand, unfollow
from portal.web.fragments import with_toast
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
    if not htmx:
        return redirect(url_for("dashboard.show"))
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
