"""One title, whatever capitals its agents write it in: shown as most of them do."""

from __future__ import annotations

from typing import Any

import pytest

from portal.models.runs.sync_run import RunStatus
from portal.sync.software import ingest as engine
from portal.sync.software.plan import choose_spellings
from portal.tactical.reading.software_entries import Title, clean_title
from tests.support.msp import Msp, counted
from tests.sync.software import Row, entry, ingest, reporting, rows_of, titles

pytestmark = pytest.mark.mainly("postgresql")

PLAIN = [("Chrome", "Google LLC"), ("7-Zip", ""), ("Ünïcode", "Straße GmbH")]


def listed(spelling: Any = str) -> list[Row]:
    return [entry(spelling(name), publisher=spelling(by)) for name, by in PLAIN]


def spelled(msp: Msp) -> set[tuple[str, str]]:
    """Names and publishers as they are exported, of all agents."""
    rows = [row for agent_id in msp.agents for row in rows_of(msp, agent_id)]
    return {(row["name"], row["publisher"] or "") for row in rows}


def give(msp: Msp, *lists: list[Row]) -> list[str]:
    """The first agents have these lists, all others none."""
    agents = reporting(msp)
    for agent_id in agents:
        msp.tactical.control.software.set(agent_id, [])
    for agent_id, entries in zip(agents, lists, strict=False):
        msp.tactical.control.software.set(agent_id, entries)
    return agents


@pytest.mark.parametrize("at", [0, 3])
def test_one_list_in_capitals_changes_no_other(msp: Msp, at: int) -> None:
    lists = [listed() for _ in range(4)]
    lists[at] = listed(str.upper)
    give(msp, *lists)
    msp.import_fleet()
    run = ingest(msp)
    assert (run.status, counted(run)) == (RunStatus.SUCCESS, {"seen": 12, "created": 12})
    assert spelled(msp) == set(PLAIN)
    assert titles() == dict.fromkeys(PLAIN, (4, 1))


def test_the_commonest_wins_however_the_lists_are_parted(
    msp: Msp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "AGENTS_AT_ONCE", 1)
    shout = listed(str.upper)
    agents = give(msp, shout, shout, listed(), listed(), listed())
    msp.import_fleet()
    ingest(msp)
    assert spelled(msp) == set(PLAIN)
    msp.tactical.control.software.set(agents[2], shout)
    run = ingest(msp)
    assert counted(run) == {"seen": 15, "unchanged": 15}
    assert spelled(msp) == {(name.upper(), by.upper()) for name, by in PLAIN}


@pytest.mark.one_database
def test_again_nothing_changes(msp: Msp) -> None:
    give(msp, listed(str.upper), listed(), listed(str.title), listed(str.lower))
    msp.import_fleet()
    ingest(msp)
    found = spelled(msp)
    for _ in range(3):
        assert counted(ingest(msp)) == {"seen": 12, "unchanged": 12}
        assert spelled(msp) == found


@pytest.mark.one_database
def test_an_ingest_that_broke_off_respells_nothing(msp: Msp) -> None:
    agents = give(msp, listed(), listed(), listed(str.upper))
    msp.import_fleet()
    ingest(msp)
    msp.tactical.control.software.set(agents[1], listed(str.upper))
    msp.tactical.control.faults.add("cut_json", "/software/", times=None)
    assert ingest(msp).status is RunStatus.FAILED
    assert spelled(msp) == set(PLAIN)


@pytest.mark.one_database
def test_more_spellings_than_are_counted_change_none(
    msp: Msp, monkeypatch: pytest.MonkeyPatch
) -> None:
    agents = give(msp, listed(), listed(), listed(str.upper))
    msp.import_fleet()
    ingest(msp)
    monkeypatch.setattr(engine, "MOST_SPELLINGS", 2)
    msp.tactical.control.software.set(agents[1], listed(str.upper))
    assert counted(ingest(msp)) == {"seen": 9, "unchanged": 9}
    assert spelled(msp) == set(PLAIN)


def title(name: str, publisher: str) -> Title:
    found = clean_title(name, publisher)
    assert found is not None
    return found


def test_of_equally_common_ones_it_is_always_the_same() -> None:
    one, other = title("Chrome", "Google"), title("CHROME", "GOOGLE")

    for counted_titles in ({one: 2, other: 2}, {other: 2, one: 2}):
        assert choose_spellings(counted_titles) == {one.key: one}


def test_name_and_publisher_are_chosen_each_for_itself() -> None:
    titles_met = {
        title("Chrome", "GOOGLE"): 2,
        title("CHROME", "Google"): 3,
        title("Chrome", "google"): 2,
    }

    [chosen] = choose_spellings(titles_met).values()

    assert (chosen.name, chosen.publisher) == ("Chrome", "Google")


def test_other_publishers_are_other_titles() -> None:
    titles_met = [title("Reader", "Adobe"), title("Reader", ""), title("Reader", "Foxit")]

    assert len(choose_spellings(dict.fromkeys(titles_met, 1))) == 3
