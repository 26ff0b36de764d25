"""The options of a connection: how it reads, how often, and how long it keeps what it read.

The forms, `portal connect`, the schedules, the checks and the documentation all go by this table.
A new option is a column of Integration with its revision, and one row here.
"""

from __future__ import annotations

from collections.abc import Mapping

from portal.models import Integration
from portal.models.integrations.integration import InventorySource
from portal.models.runs.sync_run import SyncKind
from portal.services.integrations.option_kinds import (
    AddressOption,
    AnyOption,
    ChoiceOption,
    IntervalOption,
    NumberOption,
    OptionPage,
    OptionValue,
    SwitchOption,
    to_text,
)

DEFAULT_PAGE_SIZE, HIGHEST_PAGE_SIZE = 500, 1000
DAY_MINUTES = 24 * 60
MOST_DAYS = 365

DASHBOARD = AddressOption(
    name="dashboard_url",
    label="Address of Tactical's web interface",
    help="Pages of assets lead to it. Leave it blank where the API is at api. and the web "
    "interface at rmm. of the same domain.",
    page=OptionPage.CONNECTION,
    flag="--dashboard-url",
)

OPTIONS: tuple[AnyOption, ...] = (
    DASHBOARD,
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
        label="Time between status syncs",
        help="They read the status, user and addresses of every agent. Enter auto to read them as "
        "often as the size of the fleet allows, or off.",
        page=OptionPage.CONNECTION,
        flag="--sweep-every",
        default=None,
        allows_auto=True,
        schedule=SyncKind.STATUS,
    ),
    IntervalOption(
        name="device_sync_minutes",
        label="Time between device syncs",
        help="They read everything about every agent. 1 day runs one every night. Or enter off.",
        page=OptionPage.CONNECTION,
        flag="--sync-every",
        default=DAY_MINUTES,
        schedule=SyncKind.DEVICES,
    ),
    NumberOption(
        name="brake_percent",
        label="Brake, in percent",
        help="A device sync waits for a decision when it would mark as missing, move or relink "
        "more than this share of one client's assets, or of all assets. Organizations that are "
        "gone wait likewise. 100 lets every sync go on.",
        page=OptionPage.CONNECTION,
        flag="--brake-percent",
        default=20,
        highest=100,
        unit="percent",
    ),
    NumberOption(
        name="brake_assets",
        label="Brake, in assets",
        help="A device sync does not wait for a decision while no more than this number of assets, "
        "or of organizations, are concerned, whatever their share.",
        page=OptionPage.CONNECTION,
        flag="--brake-assets",
        default=5,
        highest=100_000,
        unit="assets",
    ),
    NumberOption(
        name="retire_after_runs",
        label="Retirement, after syncs",
        help="An asset is proposed for retirement when so many complete device syncs in a row have "
        "not found its agent.",
        page=OptionPage.CONNECTION,
        flag="--retire-after-runs",
        default=3,
        lowest=1,
        highest=1000,
        unit="syncs",
    ),
    NumberOption(
        name="retire_after_days",
        label="Retirement, after days",
        help="It must also have been missing from Tactical for so many days.",
        page=OptionPage.CONNECTION,
        flag="--retire-after-days",
        default=30,
        highest=MOST_DAYS,
        unit="days",
    ),
    SwitchOption(
        name="retire_automatically",
        label="Retire automatically",
        help="Whether device syncs retire what is proposed, or leave that to a person. A retired "
        "asset keeps everything and returns with its agent.",
        page=OptionPage.CONNECTION,
        flag="--retire-automatically",
        default=False,
        choices={"no": "No, propose it", "yes": "Yes"},
    ),
    IntervalOption(
        name="software_sync_minutes",
        label="Time between software syncs",
        help="They read the installed software of every agent. 1 day runs one every night. Or "
        "enter off.",
        page=OptionPage.CONNECTION,
        flag="--software-every",
        default=DAY_MINUTES,
        schedule=SyncKind.SOFTWARE,
    ),
    IntervalOption(
        name="alert_sync_minutes",
        label="Time between alert syncs",
        help="They compare the portal's alerts with Tactical's. Enter off to rely on the webhook "
        "alone.",
        page=OptionPage.WEBHOOK,
        default=10,
        schedule=SyncKind.ALERTS,
    ),
    NumberOption(
        name="alert_history_days",
        label="Resolved alerts",
        help="Number of days for which an alert sync also reads resolved alerts. 0 reads "
        "active alerts only.",
        page=OptionPage.WEBHOOK,
        default=0,
        highest=MOST_DAYS,
        unit="days",
    ),
    NumberOption(
        name="delivery_days",
        label="Webhook calls are kept",
        help=f"Number of days, from 1 to {MOST_DAYS}.",
        page=OptionPage.WEBHOOK,
        default=30,
        lowest=1,
        highest=MOST_DAYS,
        unit="days",
    ),
)


def list_options(page: OptionPage) -> tuple[AnyOption, ...]:
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
        option.name: to_text(
            option, getattr(integration, option.name) if integration is not None else option.default
        )
        for option in list_options(page)
    }
