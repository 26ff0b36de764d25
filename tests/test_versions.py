"""Versions as they are met in the wild, put in order."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as some

from portal.versions import is_known_version, is_older, version_key

PIECES = [
    *("0", "1", "2", "9", "10", "007", "2019", "²", "１"),
    *(".", ".", "-", "_", "+", "(", ")", "/"),
    *("v", "a", "b", "k", "rc", "beta", "SP", "x64", "build", "deadbeef1"),
]
LIKE_VERSIONS = some.lists(some.sampled_from(PIECES), max_size=12).map("".join)
ANY = some.one_of(LIKE_VERSIONS, some.text(max_size=30))


@pytest.mark.parametrize(
    "line",
    [
        "1.9 < 1.10 < 1.10.1 < 2",
        "1.2.3-dev < 1.2.3-alpha < 1.2.3-beta < 1.2.3-beta2 < 1.2.3-beta10 < 1.2.3-rc1 < 1.2.3",
        "1.2.3 < 1.2.3.1 < 1.2.4-beta < 1.2.4",
        "1.0.2 < 1.0.2a < 1.0.2k < 1.0.2z < 1.0.2zh < 1.0.3",
        "3.12.0a7 < 3.12.0b1 < 3.12.0rc2 < 3.12.0 < 3.12.1",
        "8.0.0-preview.7.23375.6 < 8.0.0-rc.1.23419.4 < 8.0.0 < 8.0.11 < 9.0.0",
        "14.9.33135.0 < 14.38.33135.0 < 14.38.33135.1",
        "8.0.3520.13 (x64) < 8.0.3521.1 (x64)",
        "115.9.0 (x64 en-US) < 115.10.0 (x64 en-US)",
        "2018.3.9 < 2019.1 < 2019.1.1",
        "2008 < 2008 SP1 < 2008 SP2 < 2012",
        "R2020b < R2021a < R2021b",
        "8 Update 51 < 8 Update 391 < 8.0.4000",
        "1.8.0_202-b08 < 1.8.0_392-b08",
        "17.0.9+8 < 17.0.9+11",
        "2023-09-30 < 2023-11-05 < 2024-01-01",
        "11/05/2023 < 01/02/2024",
        "20231105 < 20240101",
        "0 < 0.0.1 < 0.1",
        "1, 0, 0, 9 < 1, 0, 0, 10",
        "6.1 (Build 7600) < 6.1 (Build 7601)",
    ],
)
def test_the_order(line: str) -> None:
    for older, newer in pairwise(line.split(" < ")):
        assert version_key(older) < version_key(newer), (older, newer)
        assert is_older(older, newer)
        assert not is_older(newer, older)


@pytest.mark.parametrize(
    "line",
    [
        "10 = 10.0 = 10.0.0.0 = v10 = V10.0 = Version 10",
        "2.0 = v2.0 = 2.0 (x64) = 2.0 64-bit = 2.0_x86 = 2.0 final",
        "1.0-beta2 = 1-beta.2 = 1.0.0 Beta 2 = 1.0b2",
        "2019.01 = 2019.1",
        "1.2.3.45 = 1.2.3 build 45 = 1.2.3-45 = 1.2.3.45 en-US",
        "5.4.1 = 5.4.1-g1a2b3c4d = 5.4.1+0f3c9a7e",
        "1.2 = １．２",
        "0 = 0.0",
    ],
)
def test_the_same(line: str) -> None:
    assert len({version_key(version) for version in line.split(" = ")}) == 1, line


@pytest.mark.parametrize("text", ["", " ", "unknown", "N/A", "-", "beta", "最新", "…"])
def test_what_is_no_version_is_older_than_nothing(text: str) -> None:
    assert not is_known_version(text)
    assert not is_older(text, "99")
    assert not is_older("0.0.1", text)
    assert version_key(text) < version_key("0")


@given(ANY, ANY, ANY)
def test_any_texts_have_one_order(one: str, two: str, three: str) -> None:
    low, middle, high = sorted((one, two, three), key=version_key)
    assert version_key(low) <= version_key(middle) <= version_key(high)
    assert not is_older(high, low)
    assert is_older(one, two) <= (not is_older(two, one))
    assert not is_older(one, one)


@given(some.lists(some.integers(0, 10**6), min_size=1, max_size=5), some.integers(0, 4))
def test_numbers_compare_as_numbers(numbers: list[int], place: int) -> None:
    place = min(place, len(numbers) - 1)
    raised = [*numbers[:place], numbers[place] + 1]
    older, newer = (".".join(map(str, each)) for each in (numbers, raised))
    assert is_older(older, newer)
    assert version_key(older) == version_key(f"v{older}.0")


def test_a_very_long_one_is_as_good_as_any() -> None:
    assert version_key("9" * 100_000) == version_key("9" * 200)
    assert is_known_version("1" + ".0" * 100_000)
