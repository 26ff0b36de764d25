"""Notices of the portal itself: those that last and lasted, and which of them a person gets."""

from __future__ import annotations

from collections.abc import Collection

from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm

from portal.errors import InvalidInput
from portal.models import Membership
from portal.models.notices.notice import NoticeKind
from portal.services.accounts.permissions import Permission
from portal.services.notices import choices as choices_service
from portal.services.notices.audience import TOLD_BY_DEFAULT
from portal.services.notices.choices import Choice
from portal.services.notices.kinds import KINDS
from portal.services.notices.listing import KEPT_FOR, list_notices
from portal.web.forms import mark, refuse
from portal.web.fragments import page_number
from portal.web.guard import get_user, requires, tenant_blueprint
from portal.web.input import to_id

notices = tenant_blueprint("notices", __name__, "/notices")


class ChoicesForm(FlaskForm):  # type: ignore[misc]
    """Its boxes are as many as there are channels: the template draws them."""


@notices.get("/")
@requires(Permission.READ_CONNECTION)
def index() -> ResponseReturnValue:
    page = list_notices(page_number())
    return render_template(
        "notices/list.html",
        page=page,
        lasting=[row for row in page.items if row.notice.ended_at is None],
        past=[row for row in page.items if row.notice.ended_at is not None],
        kept_days=KEPT_FOR.days,
    )


@notices.get("/choices")
@requires(Permission.READ_CONNECTION)
def show_choices() -> ResponseReturnValue:
    return _choices_page(ChoicesForm())


@notices.post("/choices")
@requires(Permission.READ_CONNECTION)
def choose() -> ResponseReturnValue:
    """One's own: every member may."""
    form, chosen = ChoicesForm(), None
    try:
        chosen = _read_chosen()
        choices_service.choose(_membership().id, get_user().email, chosen)
    except InvalidInput as error:
        mark(form, error)
        return refuse(_choices_page(form, chosen), error)
    flash("Saved.", "success")
    return redirect(url_for("notices.show_choices"))


def _choices_page(form: FlaskForm, chosen: Collection[Choice] | None = None) -> str:
    """`chosen`: what a form that came back had; None: as it is saved."""
    choices = choices_service.read_choices(_membership().id)
    return render_template(
        "notices/choices.html",
        form=form,
        kinds=KINDS,
        choices=choices,
        chosen=choices.chosen if chosen is None else chosen,
        has_default=_membership().role in TOLD_BY_DEFAULT,
    )


def _read_chosen() -> list[Choice]:
    """Raises InvalidInput for what no box of the page sends."""
    try:
        pairs = [text.partition(":") for text in request.form.getlist("choice")]
        return [(NoticeKind(kind), to_id(channel_id)) for kind, _, channel_id in pairs]
    except ValueError as error:
        raise InvalidInput("One of these boxes is not known. Choose again.") from error


def _membership() -> Membership:
    membership: Membership = g.membership
    return membership
