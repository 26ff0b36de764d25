"""What can be gone to, or done now, found by its words as records are; the actions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

from flask import url_for

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


def _export(
    what: str,
    endpoint: str,
    when: When = When.CONNECTED_ONCE,
    permission: Permission = Permission.READ,
) -> Command:
    also = "csv file list"
    return Command(f"Export {what}", endpoint, "download", permission, also=also, when=when)


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
    Command(
        "Sync the status of agents",
        "sync_runs.start",
        "refresh",
        Permission.SYNC,
        {"kind": "status"},
        True,
        "refresh online offline overdue run",
        When.ACTIVE,
    ),
    Command("Add a client", "clients.new", "plus", Permission.MAP, also="new create customer"),
    Command(
        "Remove assets",
        "organizations.created",
        "trash",
        Permission.MAP,
        also="delete clear that syncs created",
    ),
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
    Command(
        "Import or export rules",
        "rules.transfer",
        "arrows-exchange",
        Permission.CHANGE_SETTINGS,
        also="yaml file alert",
    ),
    Command(
        "Choose notices",
        "notices.show_choices",
        "bell-check",
        Permission.READ_CONNECTION,
        also="mail settings",
    ),
    _export("assets", "assets.export"),
    _export("alerts", "alerts.export"),
    _export("software", "software.export"),
    _export("organizations", "organizations.export"),
    _export("clients", "clients.export"),
    _export("tickets", "tickets.export"),
    _export("the audit trail", "audit.export", When.ALWAYS, Permission.READ_AUDIT),
    Command(
        "Account",
        "auth.account",
        "user-circle",
        also="password browser passkey profile second factor",
    ),
    Command("Sign out", "auth.sign_out", "logout", is_post=True, also="log off leave"),
)


def list_actions(text: str, may: Any) -> list[Command]:
    """Those that the text names, and that whoever asks may do: `may` as templates have it."""
    now = _find_out()
    return choose(text, (each for each in ACTIONS if each.when in now and is_allowed(each, may)))


def _find_out() -> frozenset[When]:
    integration = find_integration()
    if integration is None:
        return frozenset({When.ALWAYS, When.DISCONNECTED})
    state = {IntegrationState.ACTIVE: When.ACTIVE, IntegrationState.DISCONNECTED: When.DISCONNECTED}
    return frozenset({When.ALWAYS, When.CONNECTED_ONCE, state.get(integration.state, When.ALWAYS)})


def is_allowed(command: Command, may: Any) -> bool:
    return bool(getattr(may, command.permission.name.lower()))


def choose(text: str, commands: Iterable[Command]) -> list[Command]:
    """In the order that records have: the text itself, what begins with it, what holds it."""
    wanted, words = text.strip().lower(), text.lower().split()

    def rank(command: Command) -> int:
        name = command.name.lower()
        return 0 if name == wanted else 1 if name.startswith(wanted) else 2

    found = [
        each for each in commands if all(w in f"{each.name} {each.also}".lower() for w in words)
    ]
    return sorted(found, key=rank) if words else found
