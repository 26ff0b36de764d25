"""The options of a connection: how it reads, how often, and how long it keeps what it read.

The forms, `portal connect`, the schedules, the checks and the documentation all go by this table.
A new option is a column of Integration with its revision, and one row here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from portal.errors import InvalidInput
from portal.models import Integration
from portal.models.integrations.integration import InventorySource
from portal.models.runs.sync_run import SyncKind

AUTO: Final = "auto"
"""What people enter to let the portal choose a number. It is stored as NULL."""
DEFAULT_PAGE_SIZE, HIGHEST_PAGE_SIZE = 500, 1000
DAY_MINUTES = 24 * 60
LONGEST_INTERVAL = 7 * DAY_MINUTES
MOST_DAYS = 365

OptionValue = int | str
"""As it is entered: a number, AUTO, or the word of a choice."""


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


OPTIONS: tuple[ChoiceOption | NumberOption, ...] = (
    ChoiceOption(
        name="inventory_source",
        label="Inventory source",
        help="Automatic uses the beta API if it is enabled and the credentials can see every "
        "client. Otherwise it uses the dashboard API.",
        page=OptionPage.CONNECTION,
        flag="--source",
        default=InventorySource.AUTO,
        choices={
            InventorySource.AUTO: "Automatic",
            InventorySource.BETA: "Beta API",
            InventorySource.DASHBOARD: "Dashboard API",
        },
    ),
    NumberOption(
        name="page_size",
        label="Page size",
        help=f"Number of agents in one request to the beta API, at most {HIGHEST_PAGE_SIZE}.",
        page=OptionPage.CONNECTION,
        flag="--page-size",
        default=DEFAULT_PAGE_SIZE,
        lowest=1,
        highest=HIGHEST_PAGE_SIZE,
        unit="agents",
    ),
    IntervalOption(
        name="status_sweep_minutes",
        label="Status sweep interval",
        help="Minutes between status sweeps, which read the status, user and addresses of every "
        "agent. Enter auto to sweep as often as the size of the fleet allows, or 0 to turn "
        "sweeps off.",
        page=OptionPage.CONNECTION,
        flag="--sweep-every",
        default=None,
        allows_auto=True,
        schedule=SyncKind.STATUS,
    ),
    IntervalOption(
        name="device_sync_minutes",
        label="Device sync interval",
        help=f"Minutes between device syncs, which read everything about every agent. "
        f"{DAY_MINUTES} runs one every night, and 0 turns them off.",
        page=OptionPage.CONNECTION,
        flag="--sync-every",
        default=DAY_MINUTES,
        schedule=SyncKind.DEVICES,
    ),
    NumberOption(
        name="brake_percent",
        label="Brake, in percent",
        help="A device sync that would mark as missing or move more than this share of a client's "
        "assets, or of all, is held until somebody decides. 100 never holds one.",
        page=OptionPage.CONNECTION,
        flag="--brake-percent",
        default=20,
        highest=100,
        unit="percent",
    ),
    NumberOption(
        name="brake_assets",
        label="Brake, in assets",
        help="So many assets may go missing or move in one device sync, whatever share they are.",
        page=OptionPage.CONNECTION,
        flag="--brake-assets",
        default=5,
        highest=100_000,
        unit="assets",
    ),
    IntervalOption(
        name="software_sync_minutes",
        label="Software sync interval",
        help=f"Minutes between software syncs, which read the installed software of every agent. "
        f"{DAY_MINUTES} runs one every night, and 0 turns them off.",
        page=OptionPage.CONNECTION,
        flag="--software-every",
        default=DAY_MINUTES,
        schedule=SyncKind.SOFTWARE,
    ),
    IntervalOption(
        name="alert_sync_minutes",
        label="Alert reconciliation interval",
        help="Minutes between reconciliations, which compare the portal's alerts with Tactical's. "
        "0 turns them off.",
        page=OptionPage.WEBHOOK,
        default=10,
        schedule=SyncKind.ALERTS,
    ),
    NumberOption(
        name="alert_history_days",
        label="Resolved alerts",
        help="Number of days for which a reconciliation also reads resolved alerts. 0 reads "
        "active alerts only.",
        page=OptionPage.WEBHOOK,
        default=0,
        highest=MOST_DAYS,
        unit="days",
    ),
    NumberOption(
        name="delivery_days",
        label="Delivery retention",
        help=f"Number of days to keep webhook deliveries, from 1 to {MOST_DAYS}.",
        page=OptionPage.WEBHOOK,
        default=30,
        lowest=1,
        highest=MOST_DAYS,
        unit="days",
    ),
)


def list_options(page: OptionPage) -> tuple[ChoiceOption | NumberOption, ...]:
    return tuple(option for option in OPTIONS if option.page is page)


def list_intervals() -> list[tuple[str, SyncKind]]:
    """The name of each option that is an interval, and the sync that it schedules."""
    return [
        (option.name, option.schedule) for option in OPTIONS if isinstance(option, IntervalOption)
    ]


def apply_options(integration: Integration, entered: Mapping[str, OptionValue | None]) -> None:
    """Set what was entered, by name; None keeps what is stored.

    Raises InvalidInput with the option at fault.
    """
    for option in OPTIONS:
        value = entered.get(option.name)
        if value is not None:
            setattr(integration, option.name, option.to_column(value))


def show_options(integration: Integration | None, page: OptionPage) -> dict[str, str]:
    """Each option of a page as a person would enter it; the defaults without an integration."""
    return {
        option.name: _to_text(
            getattr(integration, option.name) if integration is not None else option.default
        )
        for option in list_options(page)
    }


def _to_text(value: OptionValue | None) -> str:
    return AUTO if value is None else str(value)
