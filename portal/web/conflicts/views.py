"""Conflicts: both sides beside each other, and what a person decides about them."""

from __future__ import annotations

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from portal.errors import InvalidInput, PortalError
from portal.models.assets.conflict import Settlement
from portal.services.accounts.permissions import Permission
from portal.services.conflicts import listing
from portal.services.conflicts.listing import FIRST, GROUPS, SETTLED, ConflictFilter
from portal.services.conflicts.reopening import reopen_conflict
from portal.services.conflicts.settling import (
    WORDS,
    offer_settling,
    settle_conflict,
    settle_conflicts,
)
from portal.web.fragments import flash_done, page_number, page_or_region, words
from portal.web.guard import get_user, is_safe_target, requires, tenant_blueprint
from portal.web.input import to_id
from portal.web.saved_views.look import list_context
from portal.wording import plural

REOPEN = "reopen"
_UNCHANGED = {
    Settlement.SEPARATE: "Nothing was changed, and you will not be asked about this again.",
    Settlement.APPLY: "The next sync will apply Tactical's values.",
}
"""What is said where no run was made."""

conflicts = tenant_blueprint("conflicts", __name__, "/conflicts")


@conflicts.get("/")
@requires(Permission.READ)
def index() -> ResponseReturnValue:
    counts, group = listing.count_open(), words("show")
    shown = ConflictFilter(group if group in (*GROUPS, SETTLED) else FIRST, words("q"))
    page = listing.list_conflicts(shown, page_number())
    return page_or_region(
        "conflicts/list.html",
        {"conflict-rows": "conflicts/_rows.html"},
        page=page,
        counts=counts,
        filters={"show": shown.group, "q": shown.search},
        any_conflicts=bool(page.items or any(counts.values())) or listing.any_conflicts(),
        **list_context("conflicts"),
    )


@conflicts.get("/<int:conflict_id>")
@requires(Permission.READ)
def show(conflict_id: int) -> ResponseReturnValue:
    """In the list that has it."""
    conflict = listing.get_conflict(conflict_id)
    group = next((name for name, kinds in GROUPS.items() if conflict.kind in kinds), FIRST)
    group = SETTLED if conflict.settled_at is not None else group
    where = url_for("conflicts.index", show=group, q=conflict.agent_id)
    return redirect(f"{where}#conflict-{conflict_id}")


@conflicts.post("/settle")
@requires(Permission.MAP)
def settle() -> ResponseReturnValue:
    """One by its own button (`one`: `relink-12`), or those that are ticked (`all`: `relink`);
    `reopen-12` takes back that both were kept."""
    word, _, one = request.form.get("one", "").partition("-")
    try:
        if one and word == REOPEN:
            reopen_conflict(_read_id(one))
            flash("The conflict is open again.", "success")
        elif one:
            ids = [_read_id(one)]
            _settle_one(ids[0], _read_settlement(word))
        else:
            ids = request.form.getlist("conflict", type=to_id)
            _settle_many(ids, _read_settlement(request.form.get("all", "")))
    except PortalError as error:
        flash(error.message, "error")
    return redirect(_next_place())


def _settle_one(conflict_id: int, settlement: Settlement) -> None:
    target_id = request.form.get(f"asset-{conflict_id}", type=to_id)
    run = settle_conflict(conflict_id, settlement, get_user().id, target_id)
    words = f"{run.title}." if run else _UNCHANGED[settlement]
    flash_done(words, offer_settling(settlement, {conflict_id: run}))


def _settle_many(ids: list[int], settlement: Settlement) -> None:
    settled = settle_conflicts(ids, settlement, get_user().id)
    if settled.number:
        was = "was" if settled.number == 1 else "were"
        what = f"{plural(settled.number, 'conflict')} {was} {WORDS[settlement]}."
        flash_done(what, settled.undo)
    for problem in settled.problems[:3]:
        flash(problem, "error")
    if left := len(settled.problems[3:]):
        flash(f"{plural(left, 'more conflict')} could not be settled.", "error")


def _read_settlement(word: str) -> Settlement:
    if word not in (Settlement.RELINK, Settlement.MERGE, Settlement.SEPARATE, Settlement.APPLY):
        raise InvalidInput("Choose how to settle it: relink, merge or keep both.")
    return Settlement(word)


def _read_id(text: str) -> int:
    try:
        return to_id(text)
    except ValueError:
        raise InvalidInput("Choose a conflict from the list.") from None


def _next_place() -> str:
    """The list as it was filtered, at the conflict after the one that was settled."""
    back = request.form.get("next", "")
    where = back if is_safe_target(back) else url_for("conflicts.index")
    following = request.form.get(f"after-{request.form.get('one', '').partition('-')[2]}", "")
    return f"{where}#{f'conflict-{following}' if following.isdigit() else 'conflict-rows'}"
