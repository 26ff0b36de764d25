"""What a maintenance window says, read from its row and checked: when it comes, and for what."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal, Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from portal.errors import InvalidInput

MOST_MINUTES = 31 * 24 * 60
"""A window that keeps everything silent for longer than a month is a mistake."""
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
LAST = -1
"""As the day of a month, or among its Tuesdays."""

Interval = Annotated[int, msgspec.Meta(ge=1, le=52)]
Weekday = Annotated[int, msgspec.Meta(ge=0, le=6)]
"""0 is Monday."""
Minutes = Annotated[int, msgspec.Meta(ge=1, le=MOST_MINUTES)]


class _Repeats(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    interval: Interval = 1
    """Every so many days, weeks, months or years."""
    until: date | None = None
    """The last day, in the window's zone, on which it may begin."""


class Daily(_Repeats, frozen=True, kw_only=True, tag_field="every", tag="day"):
    pass


class Weekly(_Repeats, frozen=True, kw_only=True, tag_field="every", tag="week"):
    weekdays: Annotated[tuple[Weekday, ...], msgspec.Meta(min_length=1, max_length=7)]


class MonthlyByDay(_Repeats, frozen=True, kw_only=True, tag_field="every", tag="month"):
    day: Annotated[int, msgspec.Meta(ge=LAST, le=31)]
    """1 to 31, or LAST. Months that have no such day are left out."""

    def __post_init__(self) -> None:
        if self.day == 0:
            raise ValueError("There is no day 0.")


class MonthlyByWeekday(_Repeats, frozen=True, kw_only=True, tag_field="every", tag="month-weekday"):
    nth: Annotated[int, msgspec.Meta(ge=LAST, le=4)]
    """1 to 4, or LAST."""
    weekday: Weekday
    days_after: Annotated[int, msgspec.Meta(ge=0, le=6)] = 0
    """1: on the day after it, also where that is in the next month."""

    def __post_init__(self) -> None:
        if self.nth == 0:
            raise ValueError("There is no number 0.")


class Yearly(_Repeats, frozen=True, kw_only=True, tag_field="every", tag="year"):
    """On the day of its first start. On 29 February: in leap years only."""


Repeats = Daily | Weekly | MonthlyByDay | MonthlyByWeekday | Yearly


class Scope(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which alerts: those of any of the places, if some are named, and of any of the kinds."""

    clients: tuple[int, ...] = ()
    organizations: tuple[str, ...] = ()
    """Tactical's pk of each, as `external_organization_id`."""
    sites: tuple[str, ...] = ()
    """Tactical's pk of each, as `assets.site_id`."""
    assets: tuple[int, ...] = ()
    kinds: tuple[Literal["availability", "check", "task", "custom"], ...] = ()

    @property
    def has_places(self) -> bool:
        return bool(self.clients or self.organizations or self.sites or self.assets)


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """A row of `maintenance_windows`, or what a form says before there is one."""

    zone: str
    starts: datetime
    """The first start, or the first moment to look for it; naive: as on a clock in `zone`."""
    minutes: Minutes
    """By the clock on the wall."""
    repeats: Repeats | None = None
    """None: it comes once."""
    scope: Scope = Scope()
    ended_at: datetime | None = None
    """When a person ended the occurrence that was in force then. The next ones come anyway."""
    id: int = 0
    name: str = ""


class WindowRow(Protocol):
    """What this module reads of a `MaintenanceWindow`."""

    id: Any
    name: Any
    zone: Any
    starts: Any
    minutes: Any
    repeats: Any
    scope: Any
    ended_at: Any


def read_window(row: WindowRow) -> Window:
    """Raises InvalidInput for what no form can say, and for a zone that is no longer known."""
    return Window(
        id=row.id,
        name=row.name,
        zone=_read_zone(row.zone),
        starts=_read_start(row.starts),
        minutes=_convert(row.minutes, Minutes),
        repeats=read_repeats(row.repeats),
        scope=read_scope(row.scope),
        ended_at=row.ended_at,
    )


def read_repeats(plain: dict[str, Any]) -> Repeats | None:
    """Empty: it comes once. Raises InvalidInput for what no form can say."""
    return _convert(plain, Repeats) if plain else None


def read_scope(plain: dict[str, Any]) -> Scope:
    scope: Scope = _convert(plain, Scope)
    return scope


def make_stand_in(row: WindowRow) -> Window:
    """Of one that cannot be read: it never comes."""
    return Window(id=row.id, name=row.name, zone="UTC", starts=datetime.min, minutes=1)


def as_plain(terms: Repeats | Scope | None) -> dict[str, Any]:
    """For a JSON column, without what is as it is by default; as it will be read from there, lists
    and not tuples."""
    if terms is None:
        return {}
    plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(terms))
    return {name: value for name, value in plain.items() if value not in (None, [], ())}


def _read_start(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInput(f"Its start {text} is not a date and time.", field="starts") from None


def _read_zone(zone: str) -> str:
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidInput(f"Its time zone {zone} is not known.", field="zone") from None
    return zone


def _convert(plain: Any, kind: Any) -> Any:
    try:
        return msgspec.convert(plain, kind)
    except msgspec.ValidationError as error:
        raise InvalidInput(f"The maintenance window cannot be read: {error}.") from None
