"""What the portal makes in Tactical for its webhook, and what it finds there.

The portal touches what it made and nothing else. It knows that by the pk, or by the name it
was about to give when an answer got lost; what others made under such a name is left alone,
and the portal's own gets a number.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from enum import StrEnum

import msgspec

from portal.tactical.installation import (
    ACTIONS,
    CLIENTS,
    KEYS,
    LONGEST_KEY_NAME,
    TEMPLATES,
    AlertTemplate,
    GlobalKey,
    TemplateOfClient,
    UrlAction,
)
from portal.tactical.webhook import FAILURE_BODY, RESOLVED_BODY

KEY, FAILURE, RESOLVED, TEMPLATE = "key", "failure", "resolved", "template"
DEFAULT, CLIENT = "default", "client"

PATHS = {KEY: KEYS, FAILURE: ACTIONS, RESOLVED: ACTIONS, TEMPLATE: TEMPLATES, CLIENT: CLIENTS}


class ApplyTo(StrEnum):
    """Where the alert template shall work."""

    NOWHERE = "none"
    DEFAULT = "default"
    CLIENTS = "clients"


class Wanted(msgspec.Struct, frozen=True):
    """What a person chose. `clients` are ids of organizations at Tactical."""

    url: str
    apply_to: ApplyTo = ApplyTo.NOWHERE
    clients: tuple[int, ...] = ()
    use_key_store: bool = True


class Piece(msgspec.Struct):
    """One record that the portal made; no pk until Tactical listed it."""

    name: str
    pk: int | None = None


class Chosen(msgspec.Struct):
    """Where the template was chosen, and which was chosen there before."""

    before: int | None = None
    name: str = ""


class Made(msgspec.Struct):
    """All that the portal made or chose in Tactical."""

    pieces: dict[str, Piece] = {}
    default: Chosen | None = None
    clients: dict[int, Chosen] = {}

    def find_pk(self, piece: str) -> int | None:
        found = self.pieces.get(piece)
        return found.pk if found else None


@dataclass(frozen=True, slots=True)
class Found:
    """What Tactical has now. `keys` is None where the key store cannot be used."""

    keys: list[GlobalKey] | None = None
    actions: list[UrlAction] = field(default_factory=list)
    templates: list[AlertTemplate] = field(default_factory=list)
    clients: list[TemplateOfClient] = field(default_factory=list)

    def list_records(self, piece: str) -> Iterable[GlobalKey | UrlAction | AlertTemplate]:
        if piece == KEY:
            return self.keys or ()
        return self.templates if piece == TEMPLATE else self.actions

    @property
    def default(self) -> AlertTemplate | None:
        return next((each for each in self.templates if each.default_template), None)

    def name_template(self, pk: int | None) -> str | None:
        return next((each.name for each in self.templates if each.pk == pk), None)


@dataclass(frozen=True, slots=True)
class Texts:
    """What the records shall hold."""

    slug: str
    secret: str = field(repr=False)
    failure: str = FAILURE_BODY
    resolved: str = RESOLVED_BODY


def find_present(piece: str, found: Found, made: Made) -> int | None:
    """The pk under which Tactical has what the portal made."""
    known = made.pieces.get(piece)
    if known is None:
        return None
    records = found.list_records(piece)
    if known.pk is not None:
        return next((each.pk for each in records if each.pk == known.pk), None)
    # An answer got lost: the newest of the name that was about to be given.
    return max((each.pk for each in records if each.name == known.name), default=None)


def choose_name(piece: str, slug: str, taken: Collection[str]) -> str:
    """A name that nobody has."""
    base = {
        KEY: "portal_webhook_secret",
        FAILURE: f"Portal {slug}: alert failed",
        RESOLVED: f"Portal {slug}: alert resolved",
        TEMPLATE: f"Portal {slug}: webhook",
    }[piece]
    space = "_" if piece == KEY else " "
    names = (base, *(f"{base}{space}{number}" for number in range(2, 100)))
    free = [name for name in names if name not in taken]
    name = free[0]
    assert piece != KEY or len(name) <= LONGEST_KEY_NAME
    return name
