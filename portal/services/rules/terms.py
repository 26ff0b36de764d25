"""The words that rules are written in: conditions, steps, and what conditions look at.

Pure: knows neither Flask nor the database.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, TypeVar

import msgspec
from msgspec import UNSET, Struct, UnsetType

from portal.errors import InvalidInput

Severity = Literal["info", "warning", "error"]
Kind = Literal["availability", "check", "task", "custom"]
Urgency = Literal["low", "normal", "high", "critical"]
AssetType = Literal["server", "workstation"]
Of = Literal["asset", "check", "client"]
"""What alerts have in common that count together, or hang on one ticket."""

Terms = TypeVar("Terms", bound=Struct)


class _Terms(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Kept as JSON in which only what differs from the defaults stands."""


class Text(_Terms, frozen=True):
    """Found in the message of an alert, which names its check or task; capitals do not matter."""

    sought: str
    is_pattern: bool = False
    """A regular expression of RE2's, not words to be found as they are."""


class Hours(_Terms, frozen=True):
    """Hours of the week by the clock on the wall in `zone`, a name of the IANA database."""

    zone: str
    days: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6)
    """On which they begin; Monday is 0."""
    start: str = "00:00"
    end: str = "00:00"
    """Not included. Before or at the start: it is of the next day."""
    outside: bool = False
    """All hours but these are meant."""


class AtLeast(_Terms, frozen=True):
    """So many alerts within so many minutes, of one asset, one client, or one check or task."""

    number: int
    minutes: int
    of: Of = "asset"


class Conditions(_Terms, frozen=True):
    """What an alert must be like: all that is filled in, and one of each list. Empty: any alert."""

    severities: tuple[Severity, ...] = ()
    kinds: tuple[Kind, ...] = ()
    clients: tuple[int, ...] = ()
    organizations: tuple[str, ...] = ()
    """Ids as Tactical has them, as those of sites."""
    sites: tuple[str, ...] = ()
    assets: tuple[int, ...] = ()
    asset_types: tuple[AssetType, ...] = ()
    systems: tuple[str, ...] = ()
    """Words as of `Asset.os_type`."""
    tags: tuple[str, ...] = ()
    text: Text | None = None
    hours: Hours | None = None
    """In which the alert began, or in which the window ended that kept it back."""
    lasting_minutes: int | None = None
    at_least: AtLeast | None = None


class TicketStep(_Terms, frozen=True):
    """A ticket in a helpdesk, one for all that hangs together."""

    helpdesk: int
    """Its id."""
    queue: str
    """As the helpdesk calls it, like the two that follow."""
    customer: str = ""
    """Empty: whom the alert's client is mapped to."""
    priority: str = ""
    """Empty: the helpdesk's own default."""
    subject: str = ""
    """A template, like `body`; empty for the default words."""
    body: str = ""
    per: Of = "check"


class Steps(_Terms, frozen=True):
    """What is done about an alert that matches. Either it is ignored, or somebody is told or a
    ticket opened."""

    ignore: str | None = None
    """Why nobody is told, in a person's words."""
    notify: tuple[int, ...] = ()
    """Ids of channels, as in `escalate_to`."""
    urgency: Urgency | None = None
    remind_hours: int | None = None
    escalate_minutes: int | None = None
    escalate_to: tuple[int, ...] = ()
    ticket: TicketStep | None = None

    @property
    def tells(self) -> bool:
        """Whether somebody hears of the alert, by whatever way."""
        return bool(self.notify or self.escalate_to or self.ticket)


class Subject(Struct, frozen=True):
    """One occurrence of an alert: all that the conditions of rules and windows look at.

    Names stand beside ids for explanations alone.
    """

    alert_id: int
    severity: str
    kind: str
    message: str
    began_at: datetime
    over_at: datetime | None = None
    """None while it is active."""
    counts_from: datetime | UnsetType = UNSET
    """When the window ended that kept it back: from then on it counts as if it had begun then."""
    occurrence: int = 1
    client_id: int | None = None
    client: str | None = None
    organization_id: str | None = None
    organization: str | None = None
    site_id: str | None = None
    site: str | None = None
    asset_id: int | None = None
    hostname: str | None = None
    asset_type: str | None = None
    system: str | None = None
    tags: frozenset[str] = frozenset()
    check_id: str | None = None
    """Of a check or a task, such as `check 12`."""

    @property
    def since(self) -> datetime:
        """When it began as rules see it."""
        return self.began_at if self.counts_from is UNSET else self.counts_from


def read_conditions(stored: dict[str, Any]) -> Conditions:
    """From the column of a rule. Raises InvalidInput for what no rule can mean."""
    return _read(stored, Conditions)


def read_steps(stored: dict[str, Any]) -> Steps:
    """From the column of a rule. Raises InvalidInput for what no rule can mean."""
    return _read(stored, Steps)


def to_json(terms: Conditions | Steps) -> dict[str, Any]:
    """For the column of a rule: as it will be read from there, lists and not tuples."""
    plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(terms))
    return plain


def _read(stored: dict[str, Any], kind: type[Terms]) -> Terms:
    try:
        return msgspec.convert(stored, kind)
    except msgspec.ValidationError as error:
        raise InvalidInput(f"This cannot be read as the terms of a rule: {error}.") from None
