"""Links to the calendar of windows: made, shown once, revoked; and the calendar itself."""

from __future__ import annotations

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms import StringField

from portal.errors import InvalidInput, Refused
from portal.scope import tenant_scope
from portal.services.accounts.permissions import Permission
from portal.services.windows import feeds
from portal.services.windows.ics import write_calendar
from portal.web.forms import mark
from portal.web.guard import get_user, requires
from portal.web.input import check_input
from portal.web.reauthentication import fresh_sign_in_required
from portal.web.windows.views import windows

calendars = Blueprint("calendars", __name__, url_prefix="/calendar")
calendars.before_request(check_input)


class LinkForm(FlaskForm):  # type: ignore[misc]
    name = StringField("Name")


@windows.get("/links")
@requires(Permission.READ_RULES)
def links() -> ResponseReturnValue:
    return _page(LinkForm())


@windows.post("/links")
@requires(Permission.CHANGE_RULES)
@fresh_sign_in_required
def add_link() -> ResponseReturnValue:
    """The answer itself shows the link, which is kept nowhere that could show it again."""
    form = LinkForm()
    try:
        feed, token = feeds.add_feed(form.name.data or "", get_user().id)
    except (InvalidInput, Refused) as error:
        mark(form, error)
        return _page(form), 422
    link = url_for("calendars.show", token=token, _external=True)
    return _page(LinkForm(formdata=None), feed.name, link)


@windows.post("/links/<int:feed_id>/revoke")
@requires(Permission.CHANGE_RULES)
@fresh_sign_in_required
def revoke_link(feed_id: int) -> ResponseReturnValue:
    name = feeds.revoke_feed(feed_id)
    flash(f"The link {name} was revoked. It opens nothing any more.", "success")
    return redirect(url_for("windows.links"))


@calendars.get("/<token>.ics")
def show(token: str) -> Response:
    """Without a sign-in: a calendar program has none. The link is what opens it."""
    reader = feeds.identify(token)
    with tenant_scope(reader.tenant_id):
        text = write_calendar(
            f"Maintenance of {reader.tenant_name}",
            request.host,
            lambda window_id: url_for(
                "windows.show", slug=reader.slug, window_id=window_id, _external=True
            ),
        )
    return Response(text, mimetype="text/calendar")


def _page(form: LinkForm, added: str | None = None, link: str | None = None) -> str:
    rows = feeds.list_feeds()
    return render_template("windows/links.html", form=form, rows=rows, added=added, link=link)
