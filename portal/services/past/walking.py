"""Walking an asset back through its history. Nothing is read or written here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, NamedTuple, TypeVar

Facts = TypeVar("Facts")
LONG_AGO = datetime.min.replace(tzinfo=UTC)
"""When an asset was made that had been there before."""


class PastAsset(NamedTuple):
    """What lists and counts know of an asset at some moment."""

    id: int
    name: str
    client_id: int
    asset_type: str
    site_name: str | None
    os_type: str | None
    serial_number: str | None
    description: str | None
    rmm_device_id: str
    missing_since: datetime | None = None
    retired_at: datetime | None = None
    created_at: datetime = LONG_AGO
    """LONG_AGO where it was there before the time that is looked at, and nobody asks when."""

    @property
    def is_present(self) -> bool:
        """As lists and counts have it: Tactical listed its agent."""
        return self.missing_since is None

    @property
    def place(self) -> int | None:
        """The client in whose fleet it counts; None while Tactical does not list it."""
        return self.client_id if self.missing_since is None else None


class Change(NamedTuple):
    """What became of a column. Without one: the asset came back that had been gone since
    `absent_since`, or something else that changed no fact."""

    id: int
    asset_id: int
    at: datetime
    column: str
    before: Any
    absent_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Span(Generic[Facts]):
    """What was so from `since` on, and until before `until`; None: it still is."""

    since: datetime
    until: datetime | None
    facts: Facts

    def holds(self, moment: datetime) -> bool:
        return self.since < moment and (self.until is None or self.until >= moment)


def walk_back(
    asset: PastAsset, changes: Iterable[Change], until: datetime | None = None
) -> Iterator[Span[PastAsset]]:
    """What the asset was, the newest first, back to when it was made, or as far as the changes
    reach, of which the newest comes first. `until`: when it was removed."""
    for change in changes:
        if change.column == "":
            if change.absent_since is not None:
                yield Span(change.at, until, asset)
                until = change.absent_since
            continue
        if until is None or change.at < until:
            yield Span(change.at, until, asset)
            until = change.at
        asset = asset._replace(**{change.column: change.before})
    if until is None or asset.created_at < until:
        yield Span(asset.created_at, until, asset)


def find_at(
    moment: datetime,
    asset: PastAsset,
    changes: Iterable[Change],
    until: datetime | None = None,
) -> PastAsset | None:
    """What the asset was just before the moment; None where it did not exist."""
    for span in walk_back(asset, changes, until):
        if span.holds(moment):
            return span.facts
        if span.since < moment:
            break
    return None


def roll_back(facts: Mapping[str, Any], changes: Iterable[Change]) -> dict[str, Any]:
    """All facts of an asset as they were before these changes, of which the newest comes first."""
    then = dict(facts)
    then.update((change.column, change.before) for change in changes if change.column)
    return then
