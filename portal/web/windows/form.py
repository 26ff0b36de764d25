"""The form of a maintenance window, with a preview of when it comes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.clock import utc_now
from portal.errors import InvalidInput, NotFound, Refused
from portal.models import Client
from portal.services.accounts.permissions import Permission
from portal.services.clients import get_client
from portal.services.organizations.listing import list_live_organizations
from portal.services.windows import editing
from portal.services.windows.drafts import ONCE, WindowDraft, list_zones, read_draft
from portal.services.windows.hindsight import look_back
from portal.services.windows.listing import find_usual_zone, view_window
from portal.services.windows.occurrences import list_next
from portal.services.windows.scopes import (
    Names,
    describe_scope,
    find_assets,
    list_sites,
    write_assets,
)
from portal.services.windows.terms import (
    MonthlyByDay,
    MonthlyByWeekday,
    Scope,
    Weekly,
    Window,
    as_plain,
    read_scope,
)
from portal.web.client_filter import find_chosen_client
from portal.web.forms import choices, mark
from portal.web.guard import get_user, requires
from portal.web.windows.forms import KEPT, PLACES, WindowForm
from portal.web.windows.views import NEXT_SHOWN, windows


@windows.route("/new", methods=["GET", "POST"])
@requires(Permission.CHANGE_RULES)
def new() -> ResponseReturnValue:
    form = WindowForm(**_suggest())
    if not form.is_submitted():
        return _page(form, None)
    try:
        window = _read(form)
        if _is_preview():
            return _page(form, None, window)
        row = editing.add_window(window, get_user().email)
    except (InvalidInput, NotFound, Refused) as error:
        mark(form, error, otherwise="client")
        return _page(form, None), 422
    flash(f"Added {row.name}.", "success")
    return redirect(url_for("windows.show", window_id=row.id))


@windows.route("/<int:window_id>/edit", methods=["GET", "POST"])
@requires(Permission.CHANGE_RULES)
def edit(window_id: int) -> ResponseReturnValue:
    view = view_window(window_id)
    before = view.terms
    form = WindowForm(**(_suggest() | {"name": before.name} if view.problem else _fill(before)))
    if not form.is_submitted():
        return _page(form, before)
    try:
        window = _read(form, before)
        if _is_preview():
            return _page(form, before, window)
        editing.change_window(window_id, window)
    except (InvalidInput, NotFound, Refused) as error:
        mark(form, error, otherwise="client")
        return _page(form, before), 422
    flash("Saved. What the window kept back before stays as it was.", "success")
    return redirect(url_for("windows.show", window_id=window_id))


def _is_preview() -> bool:
    return request.form.get("do") == "preview"


def _read(form: WindowForm, before: Window | None = None) -> Window:
    """Raises InvalidInput, NotFound."""
    draft = WindowDraft(
        name=form.name.data or "",
        zone=form.zone.data or "",
        starts=form.starts.data or "",
        ends=form.ends.data or "",
        scope=_read_scope(form, before),
        every=form.every.data or ONCE,
        interval=form.interval.data or "",
        weekdays=tuple(form.weekdays.data or ()),
        day=form.day.data or "",
        nth=form.nth.data or "",
        weekday=form.weekday.data or "",
        days_after=form.days_after.data or "",
        until=form.until.data or "",
    )
    return read_draft(draft)


def _read_scope(form: WindowForm, before: Window | None) -> Scope:
    kinds = tuple(form.kinds.data or ())
    places: dict[str, Any] = {}
    if form.place.data == "client":
        places["clients"] = (_read_client().id,)
    elif form.place.data == "organization":
        places["organizations"] = (_choose(form.organization.data, "organization"),)
    elif form.place.data == "site":
        places["sites"] = (_choose(form.site.data, "site"),)
    elif form.place.data == "assets":
        places["assets"] = find_assets(form.assets.data or "")
    elif form.place.data == KEPT and before:
        places = {name: each for name, each in as_plain(before.scope).items() if name != "kinds"}
    elif form.place.data != "everything":
        raise InvalidInput("Choose what the window keeps silent.", field="place")
    return read_scope({**places, "kinds": kinds})


def _choose(value: str | None, field: str) -> str:
    if not value:
        raise InvalidInput(f"Choose the {field} from the list.", field=field)
    return value


def _read_client() -> Client:
    client = find_chosen_client()
    if client is None:
        raise InvalidInput("Choose the client from the list of clients.", field="client")
    return client


def _suggest() -> dict[str, Any]:
    """Two hours from the next full hour on, by the clocks of the usual zone."""
    zone = find_usual_zone()
    start = utc_now().astimezone(ZoneInfo(zone)).replace(minute=0, second=0, tzinfo=None)
    start += timedelta(hours=1)
    return {
        "zone": zone,
        "starts": f"{start:%Y-%m-%dT%H:%M}",
        "ends": f"{start + timedelta(hours=2):%Y-%m-%dT%H:%M}",
        "day": str(start.day),
        "weekday": str(start.weekday()),
    }


def _fill(window: Window) -> dict[str, Any]:
    ends = window.starts + timedelta(minutes=window.minutes)
    repeats, scope = window.repeats, window.scope
    known: dict[str, Any] = {
        "name": window.name,
        "zone": window.zone,
        "starts": f"{window.starts:%Y-%m-%dT%H:%M}",
        "ends": f"{ends:%Y-%m-%dT%H:%M}",
        "every": as_plain(repeats).get("every", ONCE),
        "day": str(window.starts.day),
        "weekday": str(window.starts.weekday()),
        "kinds": list(scope.kinds),
        **_fill_place(scope),
    }
    if repeats is not None:
        known["interval"] = str(repeats.interval)
        known["until"] = repeats.until.isoformat() if repeats.until else ""
    if isinstance(repeats, Weekly):
        known["weekdays"] = [str(day) for day in repeats.weekdays]
    if isinstance(repeats, MonthlyByDay):
        known["day"] = str(repeats.day)
    if isinstance(repeats, MonthlyByWeekday):
        names = ("nth", "weekday", "days_after")
        known |= {name: str(getattr(repeats, name)) for name in names}
    return known


def _fill_place(scope: Scope) -> dict[str, Any]:
    if _is_of_many(scope):
        return {"place": KEPT}
    if scope.clients:
        return {"place": "client", "client": str(scope.clients[0])}
    if scope.organizations:
        return {"place": "organization", "organization": scope.organizations[0]}
    if scope.sites:
        return {"place": "site", "site": scope.sites[0]}
    if scope.assets:
        return {"place": "assets", "assets": write_assets(scope.assets)}
    return {"place": "everything"}


def _is_of_many(scope: Scope) -> bool:
    """What a command can say, and the form has no fields for: it is left as it is."""
    places = (scope.clients, scope.organizations, scope.sites)
    return sum(map(len, (*places, scope.assets[:1]))) > 1


def _page(form: WindowForm, before: Window | None, window: Window | None = None) -> str:
    organizations = {
        each.external_organization_id: each.external_organization_name
        for each in list_live_organizations()
    }
    form.organization.choices = choices({"": "Choose an organization…", **organizations})
    form.site.choices = choices({"": "Choose a site…", **dict(list_sites())})
    likely = dict.fromkeys([form.zone.data, *list_zones()])
    if before and _is_of_many(before.scope):
        kept = describe_scope(Names([before.scope]).describe(before.scope))
        form.place.choices = choices({KEPT: f"As before: {kept}", **PLACES})
    form.zone.choices = choices({zone: zone for zone in likely if zone})
    return render_template(
        "windows/form.html",
        form=form,
        before=before,
        client=_find_shown_client(before),
        window=window,
        coming=list_next(window, utc_now(), NEXT_SHOWN) if window else [],
        hindsight=look_back(window, before) if window else None,
    )


def _find_shown_client(before: Window | None) -> Client | None:
    """To be named in the picker: the one that was chosen, or else the one there was."""
    try:
        if request.method == "POST":
            return _read_client()
        return get_client(before.scope.clients[0]) if before and before.scope.clients else None
    except (InvalidInput, NotFound):
        return None
