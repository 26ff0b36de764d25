"""When an asset counted in the fleet of a client. Nothing is read or written here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from portal.services.past.records import Record
from portal.services.past.walking import PastAsset, Span, walk_back


class Cause(StrEnum):
    """Why an asset came to a fleet, or left it."""

    NEW = "new"
    MOVED = "moved"
    """From another client, or to another one."""
    BACK = "back"
    """Tactical lists it again."""
    MISSING = "missing"
    """Tactical lists it no more."""
    RETIRED = "retired"
    MERGED = "merged"
    """It turned out to be the same computer as another one."""
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class Stay:
    """`since` and `until` are None where the asset was there at the beginning or at the end of the
    time that is looked at. `first` and `last` are what it was then."""

    first: PastAsset
    last: PastAsset
    since: datetime | None
    until: datetime | None
    came: Cause | None
    went: Cause | None
    other_id: int | None = None
    """The client that it came from or went to, or the asset that it went into."""

    def holds(self, moment: datetime) -> bool:
        return (self.since is None or self.since <= moment) and (
            self.until is None or moment < self.until
        )


def list_stays(
    records: Iterable[Record], client_id: int, start: datetime, end: datetime
) -> list[Stay]:
    """Of all assets, in the fleet of the client between the two moments."""
    return [stay for each in records for stay in _list_stays(each, client_id, start, end)]


def _list_stays(record: Record, client_id: int, start: datetime, end: datetime) -> Iterator[Stay]:
    asset = record.asset
    if not record.changes and record.until is None:  # most of them
        if asset.place == client_id and asset.created_at < end:
            came = None if asset.created_at < start else Cause.NEW
            yield Stay(asset, asset, asset.created_at if came else None, None, came, None)
        return
    spans = [*walk_back(asset, record.changes, record.until)]
    spans = [span for span in reversed(spans) if _overlaps(span, start, end)]
    stay: Stay | None = None
    for number, span in enumerate(spans):
        before = spans[number - 1] if number else None
        is_next = before is not None and before.until == span.since
        if stay is not None and (span.facts.place != client_id or not is_next):
            yield _end(stay, record, spans[number:] if is_next else [])
            stay = None
        if span.facts.place != client_id:
            continue
        if stay is None:
            stay = _begin(span, before if is_next else None, start)
        until = span.until if span.until is not None and span.until < end else None
        stay = replace(stay, last=span.facts, until=until)
    if stay is not None:
        yield stay if stay.until is None else _end(stay, record, [])


def _overlaps(span: Span[PastAsset], start: datetime, end: datetime) -> bool:
    return span.since < end and (span.until is None or span.until > start)


def _begin(span: Span[PastAsset], before: Span[PastAsset] | None, start: datetime) -> Stay:
    asset, since, other_id = span.facts, span.since, None
    came: Cause | None = None
    if before is not None:
        was_listed = before.facts.is_present
        came, other_id = (Cause.MOVED, before.facts.client_id) if was_listed else (Cause.BACK, None)
    elif since >= start:
        came = Cause.NEW if since <= asset.created_at else Cause.BACK
    return Stay(asset, asset, since if came else None, None, came, None, other_id)


def _end(stay: Stay, record: Record, later: list[Span[PastAsset]]) -> Stay:
    """`later`: what it was after that, as far as that is looked at."""
    if not later:
        went = Cause.MISSING if record.until is None else Cause.DELETED
        went = went if record.into_id is None else Cause.MERGED
        return replace(stay, went=went, other_id=record.into_id)
    after = later[0].facts
    if after.is_present:
        return replace(stay, went=Cause.MOVED, other_id=after.client_id)
    is_retired = later[-1].facts.retired_at is not None
    return replace(stay, went=Cause.RETIRED if is_retired else Cause.MISSING)
