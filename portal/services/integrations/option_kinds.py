"""The kinds of options of a connection: a number, an interval, a choice, a switch, an address."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from portal.errors import InvalidInput
from portal.models.runs.sync_run import SyncKind
from portal.tactical.http.url import normalise_url
from portal.wording import plural

AUTO: Final = "auto"
"""What people enter to let the portal choose a number. It is stored as NULL."""
UNITS: Final = {"minute": 1, "hour": 60, "day": 24 * 60}
"""Of intervals, in minutes."""
LONGEST_INTERVAL = 7 * UNITS["day"]
OFF: Final = "off"
"""The interval that is stored as 0."""

OptionValue = int | str
"""As it is entered: a number, AUTO, or the word of a choice."""
SWITCH: Final = {"no": False, "yes": True}


class OptionPage(StrEnum):
    """The page of settings that shows an option."""

    CONNECTION = "connection"
    WEBHOOK = "webhook"


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    name: str
    """The column of Integration, the field of the form and the name in an error."""
    label: str
    help: str
    page: OptionPage
    flag: str | None = None
    """Of `portal connect`; None where the command does not offer the option."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoiceOption(Option):
    default: StrEnum
    choices: Mapping[StrEnum, str]
    """What is stored, and its label."""

    @property
    def allowed(self) -> str:
        return ", ".join(self.choices)

    def to_column(self, value: OptionValue) -> StrEnum:
        """What is stored of a value that was entered. Raises InvalidInput."""
        for choice in self.choices:
            if choice == value:
                return choice
        raise InvalidInput(f"Choose one of these values: {self.allowed}.", field=self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchOption(Option):
    default: bool
    choices: Mapping[str, str]
    """The words of SWITCH, each with its label."""

    @property
    def allowed(self) -> str:
        return ", ".join(self.choices)

    def to_column(self, value: OptionValue) -> bool:
        """What is stored of a value that was entered. Raises InvalidInput."""
        if isinstance(value, bool):
            return value
        if value not in self.choices:
            raise InvalidInput(f"Choose one of these values: {self.allowed}.", field=self.name)
        return SWITCH[str(value)]


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressOption(Option):
    default: str = ""
    allowed: str = "an address, or nothing"

    def to_column(self, value: OptionValue) -> str:
        """What is stored of a value that was entered; blank for none. Raises InvalidInput."""
        text = str(value).strip()
        try:
            return normalise_url(text) if text else ""
        except InvalidInput as error:
            raise InvalidInput(error.message, field=self.name) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberOption(Option):
    default: int | None
    lowest: int = 0
    highest: int
    unit: str
    allows_auto: bool = False

    @property
    def allowed(self) -> str:
        auto = f", or {AUTO}" if self.allows_auto else ""
        return f"{self.lowest} to {self.highest} {self.unit}{auto}"

    @property
    def problem(self) -> str:
        """What to say to a person who entered anything else."""
        auto = f", or {AUTO}" if self.allows_auto else ""
        return f"Enter a whole number from {self.lowest} to {self.highest}{auto}."

    def to_column(self, value: OptionValue) -> int | None:
        """What is stored of a value that was entered. Raises InvalidInput."""
        if self.allows_auto and value == AUTO:
            return None
        if not isinstance(value, int) or not self.lowest <= value <= self.highest:
            raise InvalidInput(self.problem, field=self.name)
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class IntervalOption(NumberOption):
    highest: int = LONGEST_INTERVAL
    unit: str = "minutes"
    schedule: SyncKind
    """The sync that starts by itself every so many minutes; 0 is never."""

    @property
    def allowed(self) -> str:
        auto = f", or {AUTO}" if self.allows_auto else ""
        return f"up to {name_interval(self.highest)}, or off{auto}"

    @property
    def problem(self) -> str:
        auto = f" {AUTO} lets the portal choose." if self.allows_auto else ""
        longest = name_interval(self.highest)
        return (
            f"Enter a time such as 10 minutes, 2 hours or 1 day, at most {longest}, or off.{auto}"
        )

    def read(self, text: str) -> int | None:
        """The minutes that a person typed, bare or with a unit; None for a blank field.

        Raises InvalidInput.
        """
        words = text.strip().lower()
        if words in ("", OFF):
            return 0 if words else None
        found = re.fullmatch(r"([0-9]{1,6}) ?(|m|min|minutes?|h|hours?|d|days?)", words)
        if found is None:
            raise InvalidInput(self.problem, field=self.name)
        number, unit = found.groups()
        size = next((size for name, size in UNITS.items() if unit and name[0] == unit[0]), 1)
        return int(number) * size


AnyOption = AddressOption | ChoiceOption | SwitchOption | NumberOption


def name_interval(minutes: int) -> str:
    """`10 minutes`, `2 hours`, `1 day`, `off`: in the largest unit that leaves no rest."""
    if not minutes:
        return OFF
    unit, size = next(found for found in reversed(UNITS.items()) if minutes % found[1] == 0)
    return plural(minutes // size, unit)


def to_text(option: AnyOption, value: OptionValue | None) -> str:
    """What is stored, as a person would enter it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(option, IntervalOption) and isinstance(value, int):
        return name_interval(value)
    return AUTO if value is None else str(value)
