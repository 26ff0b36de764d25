"""Rows of several threads in one transaction: who waits for whom, and for how long."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from portal.services.deliveries import group_commit
from portal.services.deliveries.group_commit import GroupCommit, NotStored

FOREVER, TOO_LONG = 30.0, 10.0
"""A row that waits for others in vain, and how soon its test says so. In seconds."""


class Table:
    """What was written in which transaction. Each one waits at the gate."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.begun = threading.Semaphore(0)
        self.gate = threading.Semaphore(0)

    def insert(self, rows: list[str]) -> list[int]:
        self.begun.release()
        assert self.gate.acquire(timeout=TOO_LONG)
        if "bad" in rows:
            raise ValueError("A bad row.")
        self.batches.append(rows)
        stored = sum(len(batch) for batch in self.batches)
        return list(range(stored - len(rows) + 1, stored + 1))


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as pool:
        yield pool


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group_commit, "GATHERING_SECONDS", FOREVER)


def wait_until_waiting(commits: GroupCommit[str], count: int) -> None:
    while len(commits._waiting) < count:
        threading.Event().wait(0.001)


def test_a_row_that_comes_alone_is_written_at_once(threads: ThreadPoolExecutor) -> None:
    table = Table()
    commits = GroupCommit(table.insert)
    table.gate.release(3)
    assert [threads.submit(commits.write, row).result(TOO_LONG) for row in "abc"] == [1, 2, 3]


def test_rows_of_a_storm_are_written_together(threads: ThreadPoolExecutor) -> None:
    table = Table()
    commits = GroupCommit(table.insert)
    first = threads.submit(commits.write, "a")
    assert table.begun.acquire(timeout=TOO_LONG)
    others = [threads.submit(commits.write, row) for row in "bcd"]
    wait_until_waiting(commits, 3)
    table.gate.release(2)
    assert first.result(TOO_LONG) == 1
    others.append(threads.submit(commits.write, "e"))  # for the others wait, as it came before
    ids = [each.result(TOO_LONG) for each in others]
    assert [sorted(batch) for batch in table.batches] == [["a"], ["b", "c", "d", "e"]]
    assert [table.batches[1][i - 2] for i in ids] == ["b", "c", "d", "e"]


def test_a_storm_that_ends_keeps_nobody_waiting(
    threads: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "GATHERING_SECONDS", 0.001)
    table = Table()
    commits = GroupCommit(table.insert)
    first = threads.submit(commits.write, "a")
    assert table.begun.acquire(timeout=TOO_LONG)
    second = threads.submit(commits.write, "b")
    wait_until_waiting(commits, 1)
    table.gate.release(3)
    assert [first.result(TOO_LONG), second.result(TOO_LONG)] == [1, 2]
    monkeypatch.setattr(group_commit, "GATHERING_SECONDS", FOREVER)
    assert threads.submit(commits.write, "c").result(TOO_LONG) == 3


def test_a_bad_row_costs_itself_alone(threads: ThreadPoolExecutor) -> None:
    table = Table()
    commits = GroupCommit(table.insert)
    first = threads.submit(commits.write, "a")
    assert table.begun.acquire(timeout=TOO_LONG)
    others = [threads.submit(commits.write, row) for row in ("b", "bad")]
    wait_until_waiting(commits, 2)
    table.gate.release(1)
    assert first.result(TOO_LONG) == 1
    others.append(threads.submit(commits.write, "c"))
    table.gate.release(4)  # for all at once, and for each
    outcomes = [each.exception(TOO_LONG) for each in others]
    assert [type(each) for each in outcomes if each] == [NotStored]
    assert sorted(row for batch in table.batches for row in batch) == ["a", "b", "c"]
