"""`portal windows`."""

from __future__ import annotations

from typing import Any

import click

from portal.cli.command import PortalCommand, RowNumber, tenant_option
from portal.cli.outcome import Outcome, columns
from portal.errors import InvalidInput
from portal.models import MaintenanceWindow
from portal.services.audit.actor import current_actor
from portal.services.clients import find_client_by_name
from portal.services.windows import editing
from portal.services.windows.drafts import EVERY, ONCE, WindowDraft, read_draft
from portal.services.windows.listing import WindowView, list_ahead, list_over, view_rows
from portal.services.windows.present import to_record
from portal.services.windows.scopes import describe_scope, find_assets
from portal.services.windows.terms import WEEKDAYS, Scope, read_scope
from portal.services.windows.words import NTH, describe_repeats, describe_times

KINDS = ("availability", "check", "task", "custom")
_DAYS = [name.lower() for name in WEEKDAYS]
_NTH = {word: str(number) for number, word in NTH.items()}


@click.group()
def windows() -> None:
    """Times in which alerts are recorded and nobody is told."""


@windows.command("list", cls=PortalCommand)
@click.option("--over", is_flag=True, help="The latest that are over or deleted, too.")
@tenant_option
def list_windows(over: bool) -> Outcome:
    """List the windows in force and those to come."""
    ahead = list_ahead()
    views = [
        *ahead.unreadable,
        *ahead.in_force,
        *ahead.coming,
        *(list_over(1).items if over else ()),
    ]
    lines = [_line(view) for view in views]
    return Outcome(
        {"ok": True, "windows": [to_record(view) for view in views]},
        columns(lines) if lines else "No maintenance window is in force or planned.",
    )


@windows.command("add", cls=PortalCommand)
@click.argument("name")
@click.option("--zone", required=True, help="The time zone, such as Europe/Berlin.")
@click.option("--starts", required=True, help="The first start, such as 2026-11-28T22:00.")
@click.option("--ends", required=True, help="The end of the first one, such as 2026-11-29T06:00.")
@click.option("--every", type=click.Choice(list(EVERY)), default=ONCE, help="How it comes again.")
@click.option("--interval", default="", help="2: only every second day, week, month or year.")
@click.option("--on", type=click.Choice(_DAYS), multiple=True, help="Its weekday; may be repeated.")
@click.option("--day", default="", help="With `month`: the day, or -1 for the last one.")
@click.option("--nth", type=click.Choice(list(_NTH)), help="With `month-weekday`: which of them.")
@click.option("--days-after", default="", help="With `month-weekday`: so many days after it.")
@click.option("--until", default="", help="The last day on which it may begin.")
@click.option("--client", metavar="NAME", multiple=True, help="Only alerts of this client.")
@click.option("--organization", metavar="NUMBER", multiple=True, help="Tactical's number of it.")
@click.option("--site", metavar="NUMBER", multiple=True, help="Tactical's number of it.")
@click.option("--asset", metavar="NAME", multiple=True, help="Only alerts of this asset.")
@click.option("--kind", type=click.Choice(KINDS), multiple=True, help="Only alerts of this kind.")
@tenant_option
def add_window(**given: Any) -> Outcome:
    """Add a window. Without a place it keeps alerts of everything silent."""
    draft = WindowDraft(
        name=given["name"],
        zone=given["zone"],
        starts=given["starts"],
        ends=given["ends"],
        scope=_read_scope(given),
        every=given["every"],
        interval=given["interval"],
        weekdays=tuple(str(_DAYS.index(day)) for day in given["on"]),
        day=given["day"],
        nth=_NTH.get(given["nth"] or "", ""),
        weekday=str(_DAYS.index(given["on"][0])) if given["on"] else "",
        days_after=given["days_after"],
        until=given["until"],
    )
    row = editing.add_window(read_draft(draft), current_actor().name)
    return _outcome(row, "Added")


@windows.command("end", cls=PortalCommand)
@click.argument("window_id", metavar="ID", type=RowNumber())
@tenant_option
def end_window(window_id: int) -> Outcome:
    """End a window that is in force; one that repeats comes again all the same."""
    return _outcome(editing.end_window(window_id), "Ended")


def _read_scope(given: dict[str, Any]) -> Scope:
    plain = {
        "clients": [_find_client(name) for name in given["client"]],
        "organizations": list(given["organization"]),
        "sites": list(given["site"]),
        "assets": list(find_assets("\n".join(given["asset"]))) if given["asset"] else [],
        "kinds": list(given["kind"]),
    }
    return read_scope(plain)


def _find_client(name: str) -> int:
    client = find_client_by_name(name)
    if client is None:
        raise InvalidInput(f"There is no client named {name}.", field="client")
    return client.id


def _outcome(row: MaintenanceWindow, done: str) -> Outcome:
    [view] = view_rows([row])
    return Outcome({"ok": True, **to_record(view)}, f"{done} {'  '.join(_line(view))}")


def _line(view: WindowView) -> tuple[str, ...]:
    when = describe_times(view.occurrence, view.terms.zone) if view.occurrence else "–"
    scope = describe_scope(view.scope)
    repeats = describe_repeats(view.terms)
    return (str(view.row.id), view.state, view.row.name, when, view.terms.zone, repeats, scope)
