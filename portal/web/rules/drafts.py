"""Between the form and the rule."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from portal.services.faults import Faults
from portal.services.rules.changes import Draft, check_draft
from portal.services.rules.listing import RuleView
from portal.services.rules.terms import (
    Conditions,
    Hours,
    Steps,
    Text,
    read_conditions,
    read_steps,
    to_json,
)
from portal.services.windows.scopes import find_assets, write_assets
from portal.web.input import read_number, to_id
from portal.web.rules.forms import ANY, CONTAINS, IGNORE, MATCHES, OUTSIDE, TELL, WITHIN, RuleForm
from portal.web.rules.tickets import fill_ticket, read_ticket

Value = TypeVar("Value")


def read_draft(form: RuleForm) -> Draft:
    """What the form says, checked. Raises InvalidInput, for all that is wrong with it."""
    faults = Faults()
    draft = Draft(
        name=form.name.data or "",
        conditions=_read_conditions(form, faults),
        steps=_read_steps(form, faults),
        go_on=bool(form.go_on.data),
    )
    with faults.collected():
        draft = check_draft(draft)
    faults.raise_any()
    return draft


def fill(view: RuleView) -> dict[str, Any]:
    """The values of the form's fields."""
    conditions, steps = view.conditions, view.steps
    text, hours, wanted = conditions.text, conditions.hours, conditions.at_least
    values: dict[str, Any] = {
        "name": view.rule.name,
        "assets": write_assets(conditions.assets),
        "tags": ", ".join(conditions.tags),
        "comparison": MATCHES if text and text.is_pattern else CONTAINS,
        "text": text.sought if text else "",
        "when": ANY if hours is None else OUTSIDE if hours.outside else WITHIN,
        "lasting_minutes": _write(conditions.lasting_minutes),
        "does": TELL if steps.ignore is None else IGNORE,
        "ignore": steps.ignore or "",
        "urgency": steps.urgency or "",
        "remind_hours": _write(steps.remind_hours),
        "escalate_minutes": _write(steps.escalate_minutes),
        "go_on": view.rule.go_on,
    }
    for name in ("severities", "kinds", "clients", "organizations", "sites", "asset_types"):
        values[name] = [str(each) for each in getattr(conditions, name)]
    values["systems"] = list(conditions.systems)
    if steps.ticket:
        values |= fill_ticket(steps.ticket)
    values["notify"] = [str(each) for each in steps.notify]
    values["escalate_to"] = [str(each) for each in steps.escalate_to]
    if hours:
        days = [str(day) for day in hours.days]
        values |= {"days": days, "start": hours.start, "end": hours.end, "zone": hours.zone}
    if wanted:
        values |= {"number": str(wanted.number), "minutes": str(wanted.minutes), "of": wanted.of}
    return values


def _read_conditions(form: RuleForm, faults: Faults) -> Conditions:
    """By way of the plain form, which checks the words that are one of a few."""
    rest = Conditions(
        clients=_ids(faults, form.clients.data, "clients"),
        organizations=tuple(form.organizations.data or ()),
        sites=tuple(form.sites.data or ()),
        assets=_read_assets(form, faults),
        systems=tuple(form.systems.data or ()),
        tags=tuple((form.tags.data or "").split(",")),
        text=_read_text(form),
        hours=_read_hours(form, faults),
        lasting_minutes=_number(faults, "lasting_minutes"),
    )
    chosen = {name: form[name].data or [] for name in ("severities", "kinds", "asset_types")}
    if wanted := _read_at_least(form, faults):
        chosen["at_least"] = wanted
    return faults.attempt(lambda: read_conditions({**to_json(rest), **chosen}), rest)


def _read_assets(form: RuleForm, faults: Faults) -> tuple[int, ...]:
    named = form.assets.data or ""
    return faults.attempt(lambda: find_assets(named), ()) if named.strip() else ()


def _read_text(form: RuleForm) -> Text | None:
    sought = (form.text.data or "").strip()
    return Text(sought, form.comparison.data == MATCHES) if sought else None


def _read_hours(form: RuleForm, faults: Faults) -> Hours | None:
    if form.when.data not in (WITHIN, OUTSIDE):
        return None
    return Hours(
        zone=form.zone.data or "",
        days=_each(faults, form.days.data or (), int, "days"),
        start=(form.start.data or "").strip(),
        end=(form.end.data or "").strip(),
        outside=form.when.data == OUTSIDE,
    )


def _read_at_least(form: RuleForm, faults: Faults) -> dict[str, Any] | None:
    number, minutes = _number(faults, "number"), _number(faults, "minutes")
    if number is None and minutes is None:
        return None
    if number is None or minutes is None:
        field = "number" if number is None else "minutes"
        faults.note("Enter both: how many alerts, and in how many minutes.", field)
        return None
    return {"number": number, "minutes": minutes, "of": form.of.data or "asset"}


def _read_steps(form: RuleForm, faults: Faults) -> Steps:
    if form.does.data == IGNORE:
        return Steps(ignore=form.ignore.data or "")
    steps = Steps(
        notify=_ids(faults, form.notify.data, "notify"),
        remind_hours=_number(faults, "remind_hours"),
        escalate_minutes=_number(faults, "escalate_minutes"),
        escalate_to=_ids(faults, form.escalate_to.data, "escalate_to"),
        ticket=faults.attempt(lambda: read_ticket(form), None),
    )
    urgency = {"urgency": form.urgency.data} if form.urgency.data else {}
    return faults.attempt(lambda: read_steps({**to_json(steps), **urgency}), steps)


def _ids(faults: Faults, values: Sequence[str] | None, field: str) -> tuple[int, ...]:
    return _each(faults, values or (), to_id, field)


def _each(
    faults: Faults, values: Iterable[str], make: Callable[[str], Value], field: str
) -> tuple[Value, ...]:
    try:
        return tuple(make(value) for value in values)
    except ValueError:
        faults.note("Choose from the list.", field)
        return ()


def _number(faults: Faults, field: str) -> int | None:
    return faults.attempt(lambda: read_number(field, "Enter a whole number, or nothing."), None)


def _write(number: int | None) -> str:
    return "" if number is None else str(number)
