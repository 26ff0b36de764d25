"""The press on “Undo”."""

from __future__ import annotations

from flask import flash, g, redirect, url_for
from flask.typing import ResponseReturnValue

from portal.errors import InvalidInput, Refused
from portal.extensions import htmx
from portal.services.accounts.permissions import Permission
from portal.services.undo.pressing import press as press_offer
from portal.web.fragments import find_way_back, with_toast
from portal.web.guard import requires, tenant_blueprint

undo = tenant_blueprint("undo", __name__, "/undo")

UNDONE = "undone"
"""The event by which parts of the page learn that they are old."""


@undo.post("/<int:offer_id>")
@requires(Permission.READ)
def press(offer_id: int) -> ResponseReturnValue:
    """Every member may press; taking it back needs what doing it needed."""
    try:
        text, category = press_offer(g.membership, offer_id), "success"
    except (InvalidInput, Refused) as error:
        text, category = error.message, "error"
    if htmx:
        return with_toast("", text, category, triggers=[UNDONE])
    flash(text, category)
    return redirect(find_way_back(url_for("dashboard.show")))
