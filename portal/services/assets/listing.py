"""Assets: found, filtered, counted and shown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, joinedload

from portal.clock import utc_now
from portal.db import db
from portal.errors import NotFound
from portal.models import Asset, AssetTag, Integration
from portal.models.assets.asset import UNKNOWN
from portal.services.assets.drift import exists_elsewhere, is_behind
from portal.services.assets.freshness import get_stale_before
from portal.services.assets.ordering import is_known, order_assets
from portal.services.assets.removed import find_merged
from portal.services.integrations.current import find_integration
from portal.services.lists.paging import Page, paginate_records
from portal.services.lists.search import any_contains, narrow, split_words
from portal.sync.devices.retirement import is_proposed

STATUSES = ("online", "offline", "overdue", UNKNOWN)
STALE = "stale"
"""Not a status: those of any status that nobody has looked at for too long."""
MISSING = "missing"
"""Not a status: those that Tactical no longer lists. They are in no other list and no count."""
PROPOSED = "proposed"
"""Not a status: those of the missing ones that a person is asked to retire."""
EVERY = "every"
"""Not a status: all of them, missing and retired ones too; for exports and programs."""
RETIRED = "retired"
"""Not a status: those that are retired. They are missing too, but not among MISSING."""
RECENT = timedelta(days=30)
"""What came within it is new."""

_SEARCHED = (
    Asset.name,
    Asset.serial_number,
    Asset.current_user,
    Asset.lan_ip,
    Asset.wan_ip,
    Asset.description,
    Asset.note,
)


@dataclass(frozen=True, slots=True)
class AssetFilter:
    """What the list shows; an empty field does not filter. `sort` with a `-` is downwards.

    `status` is one of STATUSES, STALE, MISSING, PROPOSED, RETIRED or EVERY; whatever it is, what is
    missing is shown with the last four only.
    """

    search: str = ""
    status: str = ""
    asset_type: str = ""
    client_id: int | None = None
    organization: str = ""
    """Tactical's number of it."""
    site_name: str = ""
    has_no_site: bool = False
    is_new: bool = False
    """It came within RECENT."""
    os_type: str = ""
    tag: str = ""
    in_maintenance: bool = False
    """By Tactical's own maintenance mode of the agent."""
    needs_reboot: bool = False
    is_elsewhere: bool = False
    """At another client than the one its organization is mapped to."""
    system: str = ""
    """How its system, as Tactical writes it, begins."""
    agent_version: str = ""
    agent_behind: str = ""
    """A version than which the agent's is older."""
    sort: str = "name"


def asset_conditions(shown: AssetFilter, stale_before: datetime) -> list[ColumnElement[bool]]:
    """The filter in SQL, for what lists and exports."""
    return [*_of_any_status(shown), *_of_status(shown.status, stale_before)]


def _of_status(status: str, stale_before: datetime) -> list[ColumnElement[bool]]:
    """As `Asset.shown_status` has it, but so that an index of the word helps."""
    if status == MISSING:
        return [Asset.missing_since.is_not(None), Asset.retired_at.is_(None)]
    if status == EVERY:
        return []
    if status == RETIRED:
        return [Asset.retired_at.is_not(None)]
    if status == PROPOSED:
        return is_proposed(find_integration(), utc_now())
    conditions: list[ColumnElement[bool]] = [Asset.missing_since.is_(None)]
    if status == STALE:
        conditions.append(Asset.status_at < stale_before)
    elif status == UNKNOWN:
        conditions.append(or_(Asset.agent_status == UNKNOWN, ~is_known()))
    elif status:
        conditions += [Asset.agent_status == status, is_known()]
    return conditions


def _of_any_status(shown: AssetFilter) -> list[ColumnElement[bool]]:
    """All of the filter but its status; of what is missing too."""
    conditions: list[ColumnElement[bool]] = []
    equals: tuple[tuple[InstrumentedAttribute[Any], object], ...] = (
        (Asset.asset_type, shown.asset_type),
        (Asset.client_id, shown.client_id),
        (Asset.rmm_organization_id, shown.organization),
        (Asset.site_name, shown.site_name),
        (Asset.os_type, shown.os_type),
        (Asset.agent_version, shown.agent_version),
    )
    conditions.extend(column == value for column, value in equals if value not in ("", None))
    if shown.tag:
        has_it = AssetTag.tag == shown.tag.lower()
        conditions.append(Asset.id.in_(select(AssetTag.asset_id).where(has_it)))
    if shown.has_no_site:
        conditions.append(Asset.site_name.is_(None))
    if shown.is_new:
        conditions.append(came_recently())
    if shown.in_maintenance:
        conditions.append(Asset.maintenance_mode.is_(True))
    if shown.needs_reboot:
        conditions.append(Asset.needs_reboot.is_(True))
    if shown.is_elsewhere:
        conditions.append(exists_elsewhere())
    if shown.system:
        conditions.append(Asset.os_version.startswith(shown.system, autoescape=True))
    if shown.agent_behind:
        conditions.append(is_behind(shown.agent_behind))
    # Every word must be found somewhere, so that "smith laptop" narrows.
    conditions.extend(any_contains(_SEARCHED, word) for word in split_words(shown.search))
    return conditions


def came_recently() -> ColumnElement[bool]:
    return Asset.created_at >= utc_now() - RECENT


def list_assets(shown: AssetFilter, page: int = 1) -> Page[Asset]:
    return list_and_count(shown, page, get_stale_before(), find_integration())[0]


def list_and_count(
    shown: AssetFilter, page: int, stale_before: datetime, integration: Integration | None = None
) -> tuple[Page[Asset], dict[str, int]]:
    """The page, and what `count_by_status` counts with the same filter."""
    of_any_status = narrow(Asset.id, _of_any_status(shown), shown.search)
    counts = _count_by_status(of_any_status, stale_before, integration)
    status = _of_status(shown.status, stale_before)
    order = order_assets(shown.sort)
    found = paginate_records(
        select(Asset).options(joinedload(Asset.client)),
        select(Asset.id).join(Asset.client).where(*of_any_status, *status).order_by(*order),
        _total(shown.status, counts),
        page,
    )
    return found, counts


def _total(status: str, counts: dict[str, int]) -> int:
    """How many the status shows, of all that were counted."""
    if status == EVERY:
        return counts["total"] + counts[MISSING] + counts[RETIRED]
    return counts.get(status or "total", 0)


def count_by_status(
    shown: AssetFilter | None = None,
    stale_before: datetime | None = None,
    integration: Integration | None = None,
) -> dict[str, int]:
    """How many assets of each status the filter shows, its own status aside.

    The four statuses sum to `total`. `stale` are some of these, and `missing` and `retired` none;
    `proposed` are those of `missing` that the integration's settings propose. Who does not know
    `stale_before` leaves it to be asked for.
    """
    conditions = _of_any_status(shown or AssetFilter())
    return _count_by_status(conditions, stale_before or get_stale_before(), integration)


def _count_by_status(
    conditions: list[ColumnElement[bool]], stale_before: datetime, integration: Integration | None
) -> dict[str, int]:
    numbers = status_numbers(stale_before, integration)
    # By the stored word: to make the one that is shown for each row takes longer.
    by_word = select(Asset.agent_status, *numbers).where(*conditions).group_by(Asset.agent_status)
    return sum_statuses(db.session.execute(by_word))


def status_numbers(
    stale_before: datetime, integration: Integration | None
) -> tuple[ColumnElement[int], ...]:
    """What `sum_statuses` takes of assets of one stored word, behind that word: in SQL, for
    whoever groups them by something else too."""
    here, is_old = Asset.missing_since.is_(None), ~is_known()
    return (
        func.count(),
        func.count(Asset.missing_since),
        func.count().filter(here, is_old),
        func.count().filter(here, Asset.status_at < stale_before),
        func.count().filter(*is_proposed(integration, utc_now())),
        func.count(Asset.retired_at),
    )


def sum_statuses(rows: Iterable[Sequence[Any]]) -> dict[str, int]:
    """As `count_by_status`, of rows of a stored word and its `status_numbers`."""
    counts = dict.fromkeys((*STATUSES, STALE, MISSING, PROPOSED, RETIRED, "total"), 0)
    for word, number, missing, old, stale, proposal, retired in rows:
        counts[word] += number - missing - old
        counts[UNKNOWN] += old
        counts[STALE] += stale
        counts[MISSING] += missing - retired
        counts[PROPOSED] += proposal
        counts[RETIRED] += retired
        counts["total"] += number - missing
    return counts


def any_assets() -> bool:
    return db.session.scalar(select(Asset.id).limit(1)) is not None


def get_asset(asset_id: int) -> Asset:
    """Raises NotFound; of one that was merged, AssetMerged."""
    asset = db.session.scalar(select_asset(asset_id))
    if asset is None:
        raise explain_absence(asset_id)
    return asset


def select_asset(asset_id: int) -> Select[Asset]:
    """With its client, as the database has it."""
    its = select(Asset).where(Asset.id == asset_id).options(joinedload(Asset.client))
    return its.execution_options(populate_existing=True)


def explain_absence(asset_id: int) -> NotFound:
    """Why there is no such asset."""
    return find_merged(asset_id) or NotFound(
        "This asset does not exist. Choose one from the list of assets."
    )
