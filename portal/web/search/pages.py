"""The pages that somebody may go to: those of the menu, and those that its pages lead to."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Any

from flask import current_app

from portal.services.accounts.permissions import Permission
from portal.web.search.commands import Command, choose, is_allowed

BELOW_THE_MENU = (
    Command("Views", "saved_views.index", "list-details", also="saved filters of lists all own"),
    Command(
        "Watches", "watches.index", "eye-question", also="software older than who has it missing"
    ),
    Command(
        "Month reports",
        "clients.index",
        "building",
        also="of clients billing counts print xlsx excel",
    ),
    Command(
        "Maintenance calendar",
        "windows.calendar",
        "clock",
        Permission.READ_RULES,
        also="windows planned",
    ),
    Command(
        "Calendar links",
        "windows.links",
        "link",
        Permission.READ_RULES,
        also="maintenance windows ics ical subscribe",
    ),
    Command(
        "Notices",
        "notices.index",
        "alert-triangle",
        Permission.READ_CONNECTION,
        also="problems of the portal itself",
    ),
    Command(
        "Subscribers",
        "subscribers.index",
        "send",
        Permission.READ_CONNECTION,
        also="events webhooks out",
    ),
    Command(
        "Webhook settings",
        "webhook.show",
        "webhook",
        Permission.READ_CONNECTION,
        also="address secret install test",
    ),
    Command("API reference", "api_tokens.reference", "link", also="openapi endpoints"),
    Command(
        "Help", "help.show", "help-hexagon", values={"document": "guide"}, also="guide documents"
    ),
)
"""Found by their names alone: before anything is typed the menu is enough."""


def list_pages(text: str, may: Any) -> list[Command]:
    """Those that the text names, and that whoever asks may see: `may` as templates have it."""
    further = (each for each in BELOW_THE_MENU if text and is_allowed(each, may))
    return choose(text, chain(_menu(), further))


def _menu() -> Iterator[Command]:
    """The pages of the menu that whoever asks may see: its template alone says which there are."""
    context: dict[str, Any] = {}
    current_app.update_template_context(context)
    menu: Any = current_app.jinja_env.get_template("_menu.html").make_module(context)
    for heading, areas in menu.groups:
        for endpoint, name, icon, _, _, is_shown in areas:
            if is_shown:
                yield Command(name, endpoint, icon, also=heading)
