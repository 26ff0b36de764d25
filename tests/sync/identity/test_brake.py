"""A run that would take too much away is held."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from portal.sync.devices.brake import (
    BrakeSettings,
    BrakeVerdict,
    ClientChanges,
    judge_changes,
    judge_gone_organizations,
)

SETTINGS = BrakeSettings()
COUNTS = some.integers(0, 60)


@pytest.mark.parametrize(
    ("assets", "counts", "verdict"),
    [
        (100, (0, 0, 0), BrakeVerdict.GO),
        (100, (20, 0, 0), BrakeVerdict.GO),
        (100, (21, 0, 0), BrakeVerdict.HELD),
        (100, (7, 7, 7), BrakeVerdict.HELD),
        (100, (0, 21, 0), BrakeVerdict.HELD),
        (100, (0, 0, 21), BrakeVerdict.HELD),
        (5, (5, 0, 0), BrakeVerdict.GO),
        (6, (6, 0, 0), BrakeVerdict.HELD),
        (29, (5, 0, 0), BrakeVerdict.GO),
        (29, (6, 0, 0), BrakeVerdict.HELD),
        (30, (6, 0, 0), BrakeVerdict.GO),
    ],
)
def test_more_than_the_larger_of_both_limits_is_held(
    assets: int, counts: tuple[int, int, int], verdict: BrakeVerdict
) -> None:
    changes = {1: ClientChanges("Contoso", assets, *counts)}
    assert judge_changes(changes, 1_000, SETTINGS).verdict is verdict


def test_one_client_is_enough() -> None:
    changes = {
        1: ClientChanges("Contoso", 20, moved=6),
        2: ClientChanges("Fabrikam", 1_000, missing=100),
    }
    brake = judge_changes(changes, 1_000, SETTINGS)
    assert (brake.verdict, brake.clients) == (BrakeVerdict.HELD, (1,))
    assert brake.reason == (
        "This run would mark 100 assets as missing and move 6 assets. That affects 6 of the 20 "
        "assets of Contoso, which is more than 5 and more than 20 %. None of these changes was "
        "applied: a person decides."
    )


def test_a_little_of_every_client_is_too_much_of_the_connection() -> None:
    changes = {id: ClientChanges(f"Client {id}", 10, 2, 1, 1) for id in range(1, 31)}
    brake = judge_changes(changes, 300, SETTINGS)
    assert (brake.verdict, brake.clients) == (BrakeVerdict.HELD, ())
    assert brake.reason is not None
    assert "mark 60 assets as missing, move 30 assets and relink 30 assets" in brake.reason
    assert "120 of the 300 assets of the connection" in brake.reason


def test_the_sentence_names_three_clients() -> None:
    changes = {id: ClientChanges(f"Client {id}", 10, missing=9) for id in range(1, 6)}
    reason = judge_changes(changes, 5, SETTINGS).reason
    assert reason is not None
    assert "9 of the 10 assets of Client 3 and those of 2 more clients, which is more" in reason


@pytest.mark.parametrize(("assets", "missing"), [(1, 1), (3, 3), (5_000, 5_000)])
def test_a_listing_that_shrinks_to_nothing_retires_nothing(assets: int, missing: int) -> None:
    changes = {1: ClientChanges("Contoso", assets, missing)}
    permissive = BrakeSettings(least=10_000, percent=100)
    for settings in (SETTINGS, permissive):
        assert judge_changes(changes, 0, settings).verdict is BrakeVerdict.NOTHING_LISTED
    assert judge_changes({}, 0, SETTINGS).verdict is BrakeVerdict.GO


def test_the_settings_decide() -> None:
    changes = {1: ClientChanges("Contoso", 100, missing=11)}
    assert judge_changes(changes, 89, BrakeSettings(5, 10)).verdict is BrakeVerdict.HELD
    assert judge_changes(changes, 89, BrakeSettings(11, 0)).verdict is BrakeVerdict.GO
    assert judge_changes(changes, 89, BrakeSettings(0, 11)).verdict is BrakeVerdict.GO


@pytest.mark.parametrize(
    ("gone", "known", "listed", "verdict"),
    [
        (5, 6, 1, BrakeVerdict.GO),
        (6, 12, 6, BrakeVerdict.HELD),
        (6, 30, 24, BrakeVerdict.GO),
        (2, 2, 0, BrakeVerdict.NOTHING_LISTED),
        (0, 0, 0, BrakeVerdict.GO),
    ],
)
def test_organizations_that_are_gone_likewise(
    gone: int, known: int, listed: int, verdict: BrakeVerdict
) -> None:
    brake = judge_gone_organizations(gone, known, listed, SETTINGS)
    assert brake.verdict is verdict
    assert (brake.reason is None) is (verdict is BrakeVerdict.GO)


@given(some.dictionaries(some.integers(1, 4), some.tuples(COUNTS, COUNTS, COUNTS, COUNTS)))
def test_what_goes_is_within_both_limits(counts: dict[int, tuple[int, int, int, int]]) -> None:
    clients = {id: ClientChanges(f"Client {id}", *each) for id, each in counts.items()}
    if judge_changes(clients, 1, SETTINGS).verdict is not BrakeVerdict.GO:
        return
    assert all(each.total <= max(5, each.assets / 5) for each in clients.values())
    assets = sum(each.assets for each in clients.values())
    assert sum(each.total for each in clients.values()) <= max(5, assets / 5)
