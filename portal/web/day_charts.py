"""Pictures of days: a bar for each day, stacked above its line, or above and below it.

`components/charts.html` draws them. Past days are read from the nightly counts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from portal.wording import plural

SLOT, GAP, HEIGHT = 20, 4, 160
"""In units of the drawing: the room of a day, what of it stays free, and the room of all bars."""
ROUND = (2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 60, 80, 100)
"""What a scale may end at, times a power of ten."""


@dataclass(frozen=True, slots=True)
class Series:
    """One colour of the bars. `tone` is a class of charts.css."""

    label: str
    tone: str
    values: list[int | None]
    """One for each day that was counted; None where nobody looked."""
    url: Callable[[date], str]
    """The list that a part of a bar counts."""
    is_below: bool = False


@dataclass(frozen=True, slots=True)
class Bar:
    """A part of a day's bar."""

    x: int
    y: float
    height: float
    tone: str
    url: str
    title: str


@dataclass(frozen=True, slots=True)
class Cell:
    """A number of the table behind the picture; None where nobody looked. A zero leads nowhere."""

    number: int | None
    url: str | None


@dataclass(frozen=True, slots=True)
class Tick:
    """A line across the picture, and what it stands for. `percent` is from the top."""

    percent: float
    label: int


@dataclass(frozen=True, slots=True)
class DayChart:
    bars: list[Bar]
    zero: float
    """Where the line is from which bars go up or down."""
    ticks: list[Tick]
    width: int
    first: date
    last: date
    columns: list[str]
    rows: list[tuple[date, list[Cell]]]
    """The same for readers of screens and for the keyboard, the newest first."""
    what: str
    summary: str
    notes: list[str] = field(default_factory=list)
    """What the picture does not show, and why."""


def draw_days(
    what: str, counted: Sequence[date], series: Sequence[Series], days: int, until: date
) -> DayChart:
    """The last `days` up to `until`; `counted` are those of which there are values.

    `what` names the picture: `Assets by status`.
    """
    first = until - timedelta(days=days - 1)
    above = _highest([each for each in series if not each.is_below], len(counted))
    below = _highest([each for each in series if each.is_below], len(counted))
    ticks = _list_ticks(above, below)
    unit = HEIGHT / ((above + below) or 1)
    zero = next(round(HEIGHT * tick.percent / 100, 1) for tick in ticks if not tick.label)
    bars = []
    for index, day in enumerate(counted):
        x = (day - first).days * SLOT
        bars += _stack([each for each in series if not each.is_below], index, day, x, zero, unit)
        bars += _stack([each for each in series if each.is_below], index, day, x, zero, unit)
    return DayChart(
        bars=bars,
        zero=zero,
        ticks=ticks,
        width=days * SLOT,
        first=first,
        last=until,
        columns=[each.label for each in series],
        rows=[(day, _list_cells(series, index, day)) for index, day in enumerate(counted)][::-1],
        what=what,
        summary=f"{what}, {name_day(counted[0])} to {name_day(counted[-1])}",
        notes=_list_notes(first, counted, series),
    )


def name_day(day: date) -> str:
    """`3 Nov`"""
    return f"{day.day} {day:%b}"


def _list_cells(series: Sequence[Series], index: int, day: date) -> list[Cell]:
    numbers = [(each.values[index], each.url) for each in series]
    return [Cell(number, url(day) if number else None) for number, url in numbers]


def _stack(
    series: Sequence[Series], index: int, day: date, x: int, zero: float, unit: float
) -> list[Bar]:
    """From the line on, the first of the series next to it."""
    bars, at = [], zero
    for each in series:
        value = each.values[index]
        if not value:
            continue
        height = value * unit
        y = at if each.is_below else at - height
        title = f"{name_day(day)}: {value:,} {each.label.lower()}"
        bars.append(Bar(x, round(y, 1), round(height, 1), each.tone, each.url(day), title))
        at += height if each.is_below else -height
    return bars


def _highest(series: Sequence[Series], days: int) -> int:
    """Where the scale ends: at a round number, and not below the highest bar."""
    sums = (sum(each.values[index] or 0 for each in series) for index in range(days))
    highest = max(sums, default=0)
    power = 1
    while highest > ROUND[-1] * power:
        power *= 10
    return next(step * power for step in ROUND if step * power >= highest) if highest else 0


def _list_ticks(above: int, below: int) -> list[Tick]:
    """The ends of the scale, and its line."""
    zero = Tick(100 * above / (above + below) if above + below else 100, 0)
    top, bottom = Tick(0, above), Tick(100, below)
    return [*([top] if above else ()), zero, *([bottom] if below else ())]


def _list_notes(first: date, counted: Sequence[date], series: Sequence[Series]) -> list[str]:
    notes = []
    if counted[0] > first:
        notes.append(f"Counted since {name_day(counted[0])}.")
    missed = sum(
        all(each.values[index] is None for each in series) for index in range(len(counted))
    )
    if missed:
        notes.append(f"{plural(missed, 'night was', 'nights were')} missed: nobody looked then.")
    return notes
