"""The press on “Undo”."""

from __future__ import annotations

from collections.abc import Sequence

from flask import flash, g, redirect, url_for
from flask.typing import ResponseReturnValue

from portal.errors import InvalidInput, Refused
from portal.extensions import htmx
from portal.models import Errand
from portal.services.accounts.permissions import Permission
from portal.services.errands.requests import TooManyWaiting
from portal.services.undo.offers import VALID_FOR
from portal.services.undo.pressing import press as press_offer
from portal.web.errands.following import follow
from portal.web.fragments import find_way_back, with_toast
from portal.web.guard import requires, tenant_blueprint

undo = tenant_blueprint("undo", __name__, "/undo")
# For how long a message that offers it stays.
undo.app_context_processor(lambda: {"undo_seconds": VALID_FOR.seconds})


@undo.post("/<int:offer_id>")
@requires(Permission.READ)
def press(offer_id: int) -> ResponseReturnValue:
    """Every member may press; taking it back needs what doing it needed."""
    try:
        outcome, category = press_offer(g.membership, offer_id), "success"
    except (InvalidInput, Refused, TooManyWaiting) as error:
        outcome, category = error.message, "error"
    if not isinstance(outcome, str):
        return _show_work(outcome)
    if htmx:
        return with_toast("", outcome, category)
    flash(outcome, category)
    return redirect(find_way_back(url_for("dashboard.show")))


def _show_work(errands: Sequence[Errand]) -> ResponseReturnValue:
    """Each page shows what is under way in Tactical, and then what came of it."""
    for errand in errands:
        follow(errand)
    if htmx:
        return "", 204, {"HX-Refresh": "true"}
    return redirect(find_way_back(url_for("dashboard.show")))
