"""How the mapping page answers: a row, the list, or without scripts the way back to it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.extensions import htmx
from portal.services.organizations import listing as organization_service
from portal.services.organizations.held import list_held
from portal.services.organizations.listing import OrganizationFilter
from portal.services.organizations.many import Done
from portal.services.organizations.suggestions import Suggested, Suggestions, find_suggestions
from portal.services.saved_views.looks import Look, read_look
from portal.services.suggesting import REASONS
from portal.web.fragments import flash_done, with_toast, words
from portal.web.guard import name_allowed
from portal.web.input import split_current_url, to_number
from portal.web.saved_views.look import get_place

SUGGESTED = "suggested"
"""Shown beside the filters of the database: those for which there is a suggestion."""
SHOWN = ("show", "q", "page")
"""What of the list a form remembers."""


def answer_row(organization_id: int, done: Done) -> ResponseReturnValue:
    if not htmx:
        return _go_back(done)
    return with_toast(render_row(organization_id), done.text, undo=done.undo)


def answer_list(done: Done, category: str = "success") -> ResponseReturnValue:
    if not htmx:
        return _go_back(done, category)
    shown = _read_shown()
    context = list_context(shown["show"], shown["q"], to_number(shown["page"]) or 1)
    page = render_template("organizations/_rows.html", fragment=True, **context)
    return with_toast(page, done.text, category, undo=done.undo)


def _go_back(done: Done, category: str = "success") -> ResponseReturnValue:
    flash_done(done.text, done.undo, category)
    shown: dict[str, Any] = {name: word or None for name, word in _read_shown().items()}
    return redirect(url_for("organizations.index", **shown))


def render_row(organization_id: int, **context: Any) -> str:
    """The row, and beside it the counts of the list's head."""
    suggested = _find_suggested([organization_id])
    row = organization_service.get_organization_row(organization_id, _by_organization(suggested))
    shown: dict[str, Any] = {**_read_shown()}
    head = render_template(
        "organizations/_counts.html",
        organization_counts=_count(suggested),
        sure=_sum_sure(suggested),
        oob=True,
        **shown,
    )
    shown |= {"row": row, "reasons": REASONS, "look": _read_look()}
    return render_template("organizations/_row.html", **shown, **context) + head


def _read_shown() -> dict[str, str]:
    """What of the list was in view: the form says so, or the address of the page it is on."""
    query = parse_qs(split_current_url().query) if htmx else {}
    return {name: request.form.get(name, query.get(name, [""])[0]) for name in SHOWN}


def _read_look() -> Look:
    """Its columns: what is done to organizations is answered as the page shows them."""
    query = parse_qs(split_current_url().query) if htmx else {}
    asked = words("columns") or query.get("columns", [""])[0]
    return read_look(get_place(), "organizations", asked)


def list_context(show: str, q: str, number: int, *, is_counted: bool = False) -> dict[str, Any]:
    """`show`: a filter of organizations, or those with a suggestion. `is_counted`: all suggestions
    are counted, however long that takes; else maybe the sure ones alone."""
    is_suggested, is_known = show == SUGGESTED, show in list(OrganizationFilter)
    shown = OrganizationFilter(show) if is_known else OrganizationFilter.ALL
    if is_suggested or is_counted:
        suggested = _find_suggested(None)
        only = _by_organization(suggested) if is_suggested else None
        listed = OrganizationFilter.UNMAPPED if is_suggested else shown
        page = organization_service.list_organizations(listed, q, number, only)
    else:
        page = organization_service.list_organizations(shown, q, number)
        suggested = _find_suggested([row.mapping.id for row in page.items])
    may_be = _by_organization(suggested)
    page.items[:] = [replace(row, suggestion=may_be.get(row.mapping.id)) for row in page.items]
    counts = _count(suggested)
    return {
        "page": page,
        "show": SUGGESTED if is_suggested else str(shown),
        "q": q,
        "reasons": REASONS,
        "look": _read_look(),
        "organization_counts": counts,
        "sure": _sum_sure(suggested),
        "held": list_held() if counts["held"] else [],
    }


def _find_suggested(wanted: Collection[int] | None) -> Suggestions:
    """Nothing is suggested to somebody who may not map them."""
    return find_suggestions(wanted) if name_allowed().map else Suggestions([], is_whole=True)


def _by_organization(suggested: Suggestions) -> dict[int, Suggested]:
    return {each.organization_id: each for each in suggested.found}


def _count(suggested: Suggestions) -> dict[str, int | None]:
    """Of the suggestions None while nobody has looked for all."""
    counts = organization_service.count_organizations()
    named = {shown.name.lower(): number for shown, number in counts.items()}
    number = len(suggested.found) if suggested.is_whole else None
    return {**named, "total": named["all"], SUGGESTED: number}


def _sum_sure(suggested: Suggestions) -> dict[str, int]:
    """How many suggestions are sure, how many agents mapping them would import, and of how many
    organizations that is not known."""
    sure = [each for each in suggested.found if each.is_sure]
    known = [each.agents for each in sure if each.agents is not None]
    return {"organizations": len(sure), "agents": sum(known), "unknown": len(sure) - len(known)}
