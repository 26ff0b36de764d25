"""The charts of the last runs: one for each kind, a bar for each run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from portal.models.runs.sync_run import RunStatus, SyncKind
from portal.services.runs.last_runs import MOST_OF_A_KIND, EndedRun, list_last_runs
from portal.web.sync_runs.descriptions import name_kind
from portal.web.template_helpers import duration
from portal.wording import plural

SLOT, GAP, TALLEST, SHORTEST = 10, 3, 48, 2
"""In units of the drawing: the room of a bar, what of it stays free, and heights."""
SIZE = {"slot": SLOT, "gap": GAP, "tallest": TALLEST, "width": SLOT * MOST_OF_A_KIND}
TONES = {
    RunStatus.SUCCESS: "good",
    RunStatus.PARTIAL: "warn",
    RunStatus.HELD: "warn",
    RunStatus.FAILED: "bad",
}


@dataclass(frozen=True, slots=True)
class Bar:
    run_id: int
    slot: int
    """Where the room of the bar begins, from the left."""
    height: float
    tone: str
    at: datetime
    status: str
    took: str


@dataclass(frozen=True, slots=True)
class Chart:
    kind: SyncKind
    bars: list[Bar]
    """The newest stands at the right."""
    longest: str
    summary: str
    """What the chart shows, in a sentence."""


def draw_charts() -> list[Chart]:
    """None for a tenant without runs."""
    return [_draw(kind, runs) for kind, runs in list_last_runs().items()]


def _draw(kind: SyncKind, runs: Sequence[EndedRun]) -> Chart:
    longest = max(run.seconds for run in runs)
    first = MOST_OF_A_KIND - len(runs)
    bars = [_draw_bar(run, (first + n) * SLOT, longest) for n, run in enumerate(runs)]
    ends = Counter(str(run.status) for run in runs)
    counted = ", ".join(f"{number} {status}" for status, number in ends.most_common())
    last = f"the last {plural(len(runs), 'run')}" if len(runs) > 1 else "the only run"
    summary = f"{name_kind(kind)}, {last}: {counted}. The longest took {duration(longest)}."
    return Chart(kind, bars, duration(longest), summary)


def _draw_bar(run: EndedRun, slot: int, longest: float) -> Bar:
    height = max(TALLEST * run.seconds / longest, SHORTEST) if longest else SHORTEST
    tone = TONES.get(run.status, "quiet")
    word = str(run.status).capitalize()
    return Bar(run.id, slot, round(height, 1), tone, run.at, word, duration(run.seconds))
