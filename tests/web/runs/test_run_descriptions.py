"""What a run is told in: one sentence, and how long it has still to go."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from portal.models import SyncRun
from portal.models.runs.sync_run import COUNT_NAMES, RunStatus, SyncKind
from portal.services.runs.pace import Pace, measure_pace
from portal.web.sync_runs.descriptions import describe_run, describe_time_left

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
QUEUED, RUNNING, SUCCESS, PARTIAL, FAILED, CANCELLED, PLANNED, HELD = RunStatus


def make_run(status: RunStatus, kind: SyncKind = SyncKind.DEVICES, **facts: Any) -> SyncRun:
    return SyncRun(kind=kind, status=status, **dict.fromkeys(COUNT_NAMES, 0) | facts)


@pytest.mark.parametrize(
    ("run", "sentence"),
    [
        (make_run(QUEUED), "Waiting for a worker."),
        (make_run(PLANNED, seen=9), "The plan is ready. Nothing was changed."),
        (make_run(HELD, seen=9, updated=2), "2 updated. The rest waits for your decision."),
        (make_run(HELD, seen=9), "The rest waits for your decision."),
        (make_run(RUNNING, seen=3, unchanged=3), "Nothing changed so far."),
        (make_run(RUNNING, seen=3, created=3), "3 created so far."),
        (
            make_run(SUCCESS, seen=1250, created=3, updated=1012, unchanged=220, skipped=15),
            "3 created, 1,012 updated, 15 skipped.",
        ),
        (make_run(SUCCESS, seen=9, unchanged=9, missing=1), "1 gone from Tactical."),
        (make_run(SUCCESS, seen=250, unchanged=250), "Nothing changed: 250 agents as before."),
        (
            make_run(SUCCESS, seen=5, unchanged=1, skipped=4),
            "Nothing changed: 1 agent as before, 4 skipped.",
        ),
        (
            make_run(SUCCESS, SyncKind.SOFTWARE, seen=7, unchanged=7),
            "Nothing changed: 7 software entries as before.",
        ),
        (make_run(SUCCESS, SyncKind.ALERTS), "No alerts found."),
        (make_run(PARTIAL, seen=4, updated=2, failed=2), "2 updated, 2 failed."),
        (make_run(PARTIAL, seen=4, updated=4), "4 updated, with a warning."),
        (make_run(PARTIAL, seen=4, failed=4), "Nothing changed: 4 failed."),
        (make_run(FAILED, error="Tactical is away."), "Tactical is away."),
        (make_run(FAILED), "The run failed."),
        (
            make_run(FAILED, error="Tactical is away.", seen=9, moved=2),
            "Tactical is away. Before that: 2 moved.",
        ),
        (make_run(CANCELLED, cancel_requested_at=NOW, error="The run."), "Stopped early."),
        (
            make_run(CANCELLED, cancel_requested_at=NOW, seen=9, created=4),
            "Stopped after 4 created. These changes are kept.",
        ),
        (
            make_run(
                CANCELLED,
                SyncKind.ASSETS,
                cancel_requested_at=NOW,
                done=400,
                total=5000,
                retired=400,
            ),
            "Stopped after 400 of 5,000: 400 retired. These changes are kept.",
        ),
        (make_run(CANCELLED, error="Connect it first."), "Stopped early. Connect it first."),
        (make_run(SUCCESS, SyncKind.MERGE, title="Merged A into B"), "Merged A into B."),
        (
            make_run(PARTIAL, SyncKind.REVERT, reverts_run_id=7, updated=2, skipped=1),
            "Undid run 7: 2 updated, 1 could not go back.",
        ),
        (make_run(SUCCESS, SyncKind.REVERT, reverts_run_id=7), "Undid run 7."),
        (
            make_run(SUCCESS, SyncKind.REVERT, title="Removed what Acme created", removed=3),
            "Removed what Acme created: 3 removed.",
        ),
    ],
)
def test_a_run_is_told_in_a_sentence(run: SyncRun, sentence: str) -> None:
    assert describe_run(run) == sentence


@pytest.mark.parametrize(
    ("conflicts", "told"),
    [(1, "1 needs your decision"), (2, "2 need your decision"), (0, "1 failed")],
)
def test_counts_that_come_later_fit_in(
    monkeypatch: pytest.MonkeyPatch, conflicts: int, told: str
) -> None:
    later = {"created": 3, "relinked": 1, "conflicts": conflicts, "updated": 12, "failed": 1}
    monkeypatch.setattr(SyncRun, "counts", later)
    sentence = describe_run(make_run(PARTIAL, failed=1))
    assert sentence.startswith("3 created, 1 relinked, 12 updated, ")
    assert sentence.endswith(f"{told}.")


@pytest.mark.parametrize(
    ("seconds", "done", "total", "pace"),
    [
        (2, 100, 200, None),  # too soon
        (20, 0, 200, None),  # nothing came yet
        (20, 100, 200, Pace(5, 20)),
        (20, 100, None, Pace(5, None)),
        (20, 200, 200, Pace(10, None)),
        (200, 100, 200, Pace(0.5, 200)),  # nothing has come since: it grows by itself
    ],
)
def test_the_pace_is_what_was_measured(
    seconds: int, done: int, total: int | None, pace: Pace | None
) -> None:
    since = NOW - timedelta(seconds=seconds)
    run = make_run(RUNNING, paced_from=since, paced_done=0, done=done, total=total)
    assert measure_pace(run, NOW) == pace
    assert measure_pace(make_run(SUCCESS, paced_from=since, paced_done=0, done=9), NOW) is None
    assert measure_pace(make_run(RUNNING), NOW) is None


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (4, "a few seconds left"),
        (38, "about 40 s left"),
        (56, "about 1 min left"),
        (130, "about 2 min left"),
        (3590, "about 1 h left"),
        (4900, "about 1 h 20 min left"),
    ],
)
def test_time_left_is_told_no_more_exactly_than_it_is_known(seconds: int, told: str) -> None:
    assert describe_time_left(seconds) == told
