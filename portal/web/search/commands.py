"""Pages and actions, found by their words as records are, as far as they can be taken now."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

from flask import current_app, url_for

from portal.models.integrations.integration import IntegrationState
from portal.services.accounts.permissions import Permission
from portal.services.integrations.current import find_integration

MOST_PAGES = 6


class When(Enum):
    """What must be for an action to have anything to act on."""

    ALWAYS = auto()
    ACTIVE = auto()
    """A Tactical server that answers for syncs."""
    CONNECTED_ONCE = auto()
    """Something may have come from one."""
    DISCONNECTED = auto()


@dataclass(frozen=True, slots=True)
class Command:
    """Something to go to or to do. `also`: other words that people look for it by."""

    name: str
    endpoint: str
    icon: str
    permission: Permission = Permission.READ
    values: Mapping[str, Any] = field(default_factory=dict)
    is_post: bool = False
    also: str = ""
    when: When = When.ALWAYS

    @property
    def href(self) -> str:
        return url_for(self.endpoint, **self.values)


ACTIONS = (
    Command(
        "Connect Tactical RMM",
        "tacticalrmm.show",
        "plug",
        Permission.CHANGE_SETTINGS,
        also="new add server integration",
        when=When.DISCONNECTED,
    ),
    Command(
        "Sync devices",
        "sync_runs.start",
        "refresh",
        Permission.SYNC,
        {"kind": "devices"},
        True,
        "refresh assets agents run",
        When.ACTIVE,
    ),
    Command(
        "Preview a device sync",
        "sync_runs.start",
        "list-details",
        Permission.SYNC,
        {"kind": "preview"},
        True,
        "plan assets agents run",
        When.ACTIVE,
    ),
    Command(
        "Sync organizations",
        "sync_runs.start",
        "refresh",
        Permission.SYNC,
        {"kind": "organizations"},
        True,
        "refresh clients run",
        When.ACTIVE,
    ),
    Command(
        "Sync alerts",
        "sync_runs.start",
        "refresh",
        Permission.SYNC,
        {"kind": "alerts"},
        True,
        "refresh run",
        When.ACTIVE,
    ),
    Command(
        "Sync software",
        "sync_runs.start",
        "refresh",
        Permission.SYNC,
        {"kind": "software"},
        True,
        "refresh read inventory run",
        When.ACTIVE,
    ),
    Command("Add a client", "clients.new", "plus", Permission.MAP, also="new create customer"),
    Command(
        "Plan maintenance",
        "windows.new",
        "plus",
        Permission.CHANGE_RULES,
        also="new add window silence",
    ),
    Command("Add a rule", "rules.new", "plus", Permission.CHANGE_RULES, also="new alert"),
    Command(
        "Add a channel",
        "channels.choose",
        "plus",
        Permission.CHANGE_SETTINGS,
        also="new mail slack teams discord ntfy",
    ),
    Command(
        "Add a helpdesk",
        "helpdesks.choose",
        "plus",
        Permission.CHANGE_SETTINGS,
        also="new ticket system zammad redmine",
    ),
    Command(
        "Invite somebody",
        "users.index",
        "send",
        Permission.MANAGE_USERS,
        also="new add user person",
    ),
    Command("Make an API token", "api_tokens.index", "plus", Permission.MANAGE_TOKENS, also="new"),
    Command("Choose notices", "notices.show_choices", "bell-check", also="mail settings"),
    Command(
        "Export assets",
        "assets.export",
        "download",
        also="csv file list",
        when=When.CONNECTED_ONCE,
    ),
    Command(
        "Export alerts",
        "alerts.export",
        "download",
        also="csv file list",
        when=When.CONNECTED_ONCE,
    ),
    Command(
        "Export software",
        "software.export",
        "download",
        also="csv file list",
        when=When.CONNECTED_ONCE,
    ),
    Command("Account", "auth.account", "user-circle", also="password browser passkey profile"),
    Command("Sign out", "auth.sign_out", "logout", is_post=True, also="log off leave"),
)


def list_actions(text: str, may: Any) -> list[Command]:
    """Those that the text names, and that whoever asks may do: `may` as templates have it."""
    now = _find_out()
    offered = (each for each in ACTIONS if each.when in now)
    return _choose(text, (each for each in offered if getattr(may, each.permission.name.lower())))


def _find_out() -> frozenset[When]:
    integration = find_integration()
    if integration is None:
        return frozenset({When.ALWAYS, When.DISCONNECTED})
    state = {IntegrationState.ACTIVE: When.ACTIVE, IntegrationState.DISCONNECTED: When.DISCONNECTED}
    return frozenset({When.ALWAYS, When.CONNECTED_ONCE, state.get(integration.state, When.ALWAYS)})


def list_pages(text: str) -> list[Command]:
    return _choose(text, _menu())


def _menu() -> Iterator[Command]:
    """The pages of the menu that whoever asks may see: its template alone says which there are."""
    context: dict[str, Any] = {}
    current_app.update_template_context(context)
    menu: Any = current_app.jinja_env.get_template("_menu.html").make_module(context)
    for heading, areas in menu.groups:
        for endpoint, name, icon, _, _, is_allowed in areas:
            if is_allowed:
                yield Command(name, endpoint, icon, also=heading)


def _choose(text: str, commands: Iterable[Command]) -> list[Command]:
    """In the order that records have: the text itself, what begins with it, what holds it."""
    wanted, words = text.strip().lower(), text.lower().split()

    def rank(command: Command) -> int:
        name = command.name.lower()
        return 0 if name == wanted else 1 if name.startswith(wanted) else 2

    found = [
        each for each in commands if all(w in f"{each.name} {each.also}".lower() for w in words)
    ]
    return sorted(found, key=rank) if words else found
