"""What the portal makes in Tactical for its webhook, and what a person chose of it.

The portal touches what it made and nothing else. It knows that by the pk, or by the name it
was about to give when an answer got lost; what others made under such a name is left alone,
and the portal's own gets a number.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

import msgspec

from portal.tactical.installation import ACTIONS, KEYS, ORGANIZATIONS, TEMPLATES
from portal.tactical.webhook import FAILURE_BODY, RESOLVED_BODY


class Piece(StrEnum):
    """One part of an installation: a record of the portal's own, or a place to choose a template.

    The values are stored.
    """

    KEY = "key"
    FAILURE = "failure"
    RESOLVED = "resolved"
    TEMPLATE = "template"
    DEFAULT = "default"
    ORGANIZATION = "client"


PATHS = {
    Piece.KEY: KEYS,
    Piece.FAILURE: ACTIONS,
    Piece.RESOLVED: ACTIONS,
    Piece.TEMPLATE: TEMPLATES,
    Piece.DEFAULT: ACTIONS,
    Piece.ORGANIZATION: ORGANIZATIONS,
}
"""Where at Tactical each is listed; for the server's default, a list that needs the same flag."""


class ApplyTo(StrEnum):
    """Where the alert template shall work."""

    NOWHERE = "none"
    DEFAULT = "default"
    ORGANIZATIONS = "clients"


class Wanted(msgspec.Struct, frozen=True, rename={"organizations": "clients"}):
    """What a person chose. `organizations` are their ids at Tactical."""

    url: str
    apply_to: ApplyTo = ApplyTo.NOWHERE
    organizations: tuple[int, ...] = ()
    use_key_store: bool = True


class MadeRecord(msgspec.Struct):
    """One record that the portal made; no pk until Tactical listed it."""

    name: str
    pk: int | None = None


class Chosen(msgspec.Struct):
    """Where the template was chosen, and which was chosen there before."""

    before: int | None = None
    name: str = ""


class Made(msgspec.Struct, rename={"records": "pieces", "organizations": "clients"}):
    """All that the portal made or chose in Tactical."""

    records: dict[Piece, MadeRecord] = {}
    default: Chosen | None = None
    organizations: dict[int, Chosen] = {}

    def find_pk(self, piece: Piece) -> int | None:
        found = self.records.get(piece)
        return found.pk if found else None


@dataclass(frozen=True, slots=True)
class WebhookTexts:
    """What the records shall hold."""

    slug: str
    secret: str = field(repr=False)
    failure: str = FAILURE_BODY
    resolved: str = RESOLVED_BODY
