"""How the mapping page answers: a row, the list, or without scripts the way back to it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qs

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.extensions import htmx
from portal.services.organizations import listing as organization_service
from portal.services.organizations.choosing import MOST_MATCHING, Shown, sum_agents
from portal.services.organizations.held import list_held
from portal.services.organizations.listing import OrganizationFilter, OrganizationRow
from portal.services.organizations.many import Done
from portal.services.organizations.suggestions import (
    LONGEST_LOOK,
    NOBODY,
    SOON,
    SameNamed,
    Suggested,
    find_same,
    suggest_for,
    suggest_for_all,
)
from portal.services.saved_views.looks import Look, read_look
from portal.services.suggesting import REASONS
from portal.web.fragments import flash_done, with_toast, words
from portal.web.guard import name_allowed
from portal.web.input import split_current_url, to_number
from portal.web.saved_views.look import get_place

SUGGESTED, SIMILAR = "suggested", "similar"
"""Shown beside the filters of the database: those that say the same as a client, and those that are
alike."""
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
    counts = organization_service.count_organizations()
    row = organization_service.get_organization_row(organization_id)
    suggested = _find_suggested(counts)
    shown: dict[str, Any] = {**_read_shown()}
    head = render_template(
        "organizations/_counts.html", **_head(counts, suggested), oob=True, **shown
    )
    [row] = suggested.put_in([row])
    shown |= {"row": row, "reasons": REASONS, "look": _read_look()}
    return render_template("organizations/_row.html", **shown, **context) + head


def read_shown() -> Shown:
    """All that the list in view shows, however many pages it has."""
    form = _read_shown()
    return _show_all(form["show"], form["q"])


def read_asked() -> Shown:
    """The same of the list that the address asks for."""
    return _show_all(words("show"), words("q"))


def _show_all(show: str, q: str) -> Shown:
    suggested = _find_suggested(organization_service.count_organizations(), show)
    return Shown(_read_filter(show), q, suggested.list_ids(show))


def _read_shown() -> dict[str, str]:
    """What of the list was in view: the form says so, or the address of the page it is on."""
    query = parse_qs(split_current_url().query) if htmx else {}
    return {name: request.form.get(name, query.get(name, [""])[0]) for name in SHOWN}


def _read_look() -> Look:
    """Its columns: what is done to organizations is answered as the page shows them."""
    query = parse_qs(split_current_url().query) if htmx else {}
    asked = words("columns") or query.get("columns", [""])[0]
    return read_look(get_place(), "organizations", asked)


def list_context(show: str, q: str, number: int) -> dict[str, Any]:
    """`show`: a filter of organizations, or those with a suggestion of one kind."""
    counts = organization_service.count_organizations()
    suggested = _find_suggested(counts, show)
    shown, only = _read_filter(show), suggested.list_ids(show)
    total = None if q.strip() else counts[shown] if only is None else len(only)
    page = organization_service.list_organizations(shown, q, number, only, total)
    page.items[:] = suggested.put_in(page.items)
    is_long = name_allowed().map and page.last > 1 and page.total <= MOST_MATCHING
    return {
        "page": page,
        "would_import": sum_agents(Shown(shown, q, only)) if is_long else None,
        "show": show if only is not None else str(shown),
        "q": q,
        "reasons": REASONS,
        "look": _read_look(),
        "held": list_held() if counts[OrganizationFilter.HELD] else [],
        **_head(counts, suggested),
    }


@dataclass(frozen=True, slots=True)
class _Suggested:
    """`found`: for all, None where only those in view are looked at."""

    same: SameNamed
    found: Mapping[int, Suggested] | None

    def list_ids(self, show: str) -> Collection[int] | None:
        """Of the organizations with a suggestion of this kind; None for what is no kind."""
        if show == SIMILAR:
            return (self.found or {}).keys() - self.same.agents.keys()
        return self.same.agents if show == SUGGESTED else None

    def put_in(self, rows: Sequence[OrganizationRow]) -> list[OrganizationRow]:
        found = self.found
        if found is None:
            found = suggest_for([row.mapping for row in rows], self.same, LONGEST_LOOK)
        return [replace(row, suggestion=found.get(row.mapping.id)) for row in rows]


def _find_suggested(counts: Mapping[OrganizationFilter, int], show: str = "") -> _Suggested:
    """Nothing is suggested to somebody who may not map them."""
    if not name_allowed().map:
        return _Suggested(NOBODY, {})
    same, is_soon = find_same(), counts[OrganizationFilter.UNMAPPED] <= SOON
    is_wanted = is_soon or show == SIMILAR
    return _Suggested(same, suggest_for_all(same, LONGEST_LOOK) if is_wanted else None)


def _read_filter(show: str) -> OrganizationFilter:
    if show in (SUGGESTED, SIMILAR):
        return OrganizationFilter.UNMAPPED
    return OrganizationFilter(show) if show in list(OrganizationFilter) else OrganizationFilter.ALL


def _head(counts: Mapping[OrganizationFilter, int], suggested: _Suggested) -> dict[str, Any]:
    """What the head of the list tells."""
    named: dict[str, int | None] = {shown.name.lower(): n for shown, n in counts.items()}
    named |= {"total": named["all"], SUGGESTED: len(suggested.same.agents)}
    similar = suggested.list_ids(SIMILAR) or ()
    named[SIMILAR] = None if suggested.found is None else len(similar)
    return {"organization_counts": named, "sure": suggested.same.sum_sure()}
