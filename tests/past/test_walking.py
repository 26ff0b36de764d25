"""An asset is walked back through its history, and its stays in a client's fleet are told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from portal.services.past.records import Record, Removed, deal_out
from portal.services.past.walking import Change, PastAsset, find_at, walk_back
from portal.services.reports.stays import Cause, Stay, list_stays

START = datetime(2026, 10, 1, tzinfo=UTC)
END = datetime(2026, 11, 1, tzinfo=UTC)
HERE, ELSEWHERE = 1, 2


def day(number: int) -> datetime:
    return START + timedelta(days=number - 1)


LONG_AGO = day(-90)


def asset(asset_id: int = 7, created: datetime = LONG_AGO, **facts: Any) -> PastAsset:
    known: dict[str, Any] = {
        "name": "PC",
        "client_id": HERE,
        "asset_type": "workstation",
        **dict.fromkeys(("site_name", "os_type", "serial_number", "description")),
        "rmm_device_id": "agent",
        **dict.fromkeys(("missing_since", "retired_at")),
    }
    return PastAsset(id=asset_id, created_at=created, **(known | facts))


def change(at: datetime, column: str, before: Any, **more: Any) -> Change:
    return Change(int(at.timestamp()), 7, at, column, before, **more)


def stays(record: Record) -> list[Stay]:
    return list_stays([record], HERE, START, END)


def told(record: Record) -> list[tuple[Any, ...]]:
    return [(s.since, s.came, s.until, s.went, s.other_id) for s in stays(record)]


def test_each_change_ends_what_was_before_and_nothing_was_before_it_was_made() -> None:
    now = asset(name="New", created=day(1))
    changes = [change(day(9), "name", "Newer"), change(day(5), "name", "Old")]
    spans = [(s.since, s.until, s.facts.name) for s in walk_back(now, changes)]
    assert spans == [
        (day(9), None, "New"),
        (day(5), day(9), "Newer"),
        (day(1), day(5), "Old"),
    ]
    for moment, name in ((day(10), "New"), (day(9), "Newer"), (day(5), "Old")):
        found = find_at(moment, now, changes)
        assert found is not None
        assert found.name == name
    assert find_at(day(1), now, changes) is None
    assert find_at(day(10), now, changes, until=day(9)) is None


def test_what_was_merged_and_parted_again_was_not_there_meanwhile() -> None:
    """And what came of its agent meanwhile is told when it came back."""
    now = asset(name="Back")
    back = [
        change(day(9), "name", "Before"),
        change(day(9), "", None, absent_since=day(5)),
    ]
    assert find_at(day(7), now, back) is None
    before, after = find_at(day(5), now, back), find_at(day(10), now, back)
    assert (before and before.name, after and after.name) == ("Before", "Back")


def test_changes_of_what_was_merged_go_back_to_it_through_every_merge() -> None:
    changes = [Change(n, 3, day(n), "name", str(n)) for n in (9, 8, 7, 6)]
    removed = [  # 2 went into 3 after 1 had gone into 2
        Removed(2, 3, day(8), {"id": 2}, [6, 7], ()),
        Removed(1, 3, day(7), {"id": 1}, [6], ()),
    ]
    dealt = deal_out(changes, removed, START)
    assert {i: [each.id for each in its] for i, its in dealt.items()} == {3: [9, 8], 2: [7], 1: [6]}


def test_who_was_there_all_month_has_a_stay_without_ends() -> None:
    renamed = Record(asset(), changes=[change(day(3), "name", "Old")])
    assert told(Record(asset())) == told(renamed) == [(None, None, None, None, None)]
    assert [(s.first.name, s.last.name) for s in stays(renamed)] == [("Old", "PC")]
    assert told(Record(asset(client_id=ELSEWHERE))) == []
    assert told(Record(asset(created=END))) == []


def test_who_came_and_why() -> None:
    assert told(Record(asset(created=day(4)))) == [(day(4), Cause.NEW, None, None, None)]
    moved = Record(asset(), changes=[change(day(6), "client_id", ELSEWHERE)])
    assert told(moved) == [(day(6), Cause.MOVED, None, None, ELSEWHERE)]
    back = Record(asset(), changes=[change(day(6), "missing_since", day(-9))])
    assert told(back) == [(day(6), Cause.BACK, None, None, None)]


def test_who_went_and_why() -> None:
    missing = asset(missing_since=day(6))
    gone = change(day(6), "missing_since", None)
    assert told(Record(missing, changes=[gone])) == [(None, None, day(6), Cause.MISSING, None)]
    retired = missing._replace(retired_at=day(8))
    its = [change(day(8), "retired_at", None), gone]
    assert told(Record(retired, changes=its)) == [(None, None, day(6), Cause.RETIRED, None)]
    # What was retired after the month was only missing in it.
    late = [change(END, "retired_at", None), gone]
    assert told(Record(retired, changes=late)) == [(None, None, day(6), Cause.MISSING, None)]
    away = Record(asset(client_id=ELSEWHERE), changes=[change(day(6), "client_id", HERE)])
    assert told(away) == [(None, None, day(6), Cause.MOVED, ELSEWHERE)]
    merged = Record(asset(), until=day(6), into_id=9)
    assert told(merged) == [(None, None, day(6), Cause.MERGED, 9)]
    assert told(Record(asset(), until=day(6))) == [(None, None, day(6), Cause.DELETED, None)]
    assert told(Record(asset(), until=END)) == [(None, None, None, None, None)]


def test_who_was_away_for_a_time_has_two_stays() -> None:
    changes = [change(day(8), "missing_since", day(4)), change(day(4), "missing_since", None)]
    assert told(Record(asset(), changes=changes)) == [
        (None, None, day(4), Cause.MISSING, None),
        (day(8), Cause.BACK, None, None, None),
    ]
