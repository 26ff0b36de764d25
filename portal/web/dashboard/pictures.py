"""What the dashboard draws and lists of the fleet, each with the list that it counts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from flask import url_for

from portal.clock import day_of, utc_now
from portal.models.alerts.alert import Severity
from portal.services.assets.daily_counts import MONTH_DAYS, Day
from portal.services.assets.drift import list_behind
from portal.services.dashboard.fleet import ClientState, Fleet
from portal.versions import version_key
from portal.web.day_charts import DayChart, Series, draw_days
from portal.wording import plural

MOST_SYSTEMS = 6
MOST_VERSIONS = 3
STACKED = ("online", "offline", "overdue", "unknown")
"""From the line upwards."""
SEVERITIES = (Severity.ERROR, Severity.WARNING, Severity.INFO)
_BUILD = re.compile(r"\s*\(build [^)]*\)$|(?<=\d)\s+(?:x86_64|i[3-6]86|arm64|aarch64)\b.*$")
_WIDTH_OF_SYSTEM = re.compile(r",?\s*(?:32|64)\s?-?bit\b(?:\s+v(?=\d))?")


@dataclass(frozen=True, slots=True)
class Row:
    """A line of bars. `share` is in percent of the longest."""

    label: str
    number: int
    share: float
    url: str
    tone: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a client is among the worst."""

    text: str
    tone: str
    url: str


def draw_statuses(days: Sequence[Day], client_id: int | None = None) -> DayChart | None:
    """None as long as no night was counted. A mark leads to the list of its day, which has the
    numbers of that night: of single assets nobody knows the status then."""
    if not any(day.by_status for day in days):
        return None
    lead = _lead_to_day(url_for("assets.index", client_id=client_id), "as_of")
    series = [
        Series(
            label=word.capitalize(),
            tone=word,
            values=[day.by_status[word] if day.by_status else None for day in days],
            url=lead,
        )
        for word in STACKED
    ]
    return _draw("Assets by status", days, series)


def draw_alerts(days: Sequence[Day]) -> DayChart | None:
    """Raised ones above the line, resolved ones below it."""
    if not days:
        return None
    series = [
        Series(
            label=f"{word.capitalize()} {done}",
            tone=word if done == "raised" else f"{word}-resolved",
            values=[(day.raised if done == "raised" else day.resolved)[word] for day in days],
            url=_lead_to_day(url_for("alerts.index", status="any", severity=word), done),
            is_below=done == "resolved",
        )
        for done in ("raised", "resolved")
        for word in SEVERITIES
    ]
    return _draw("Alerts raised and resolved", days, series)


def _lead_to_day(url: str, name: str) -> Callable[[date], str]:
    """An address is made once for all marks of a picture."""
    begin = f"{url}{'&' if '?' in url else '?'}{name}="
    return lambda day: f"{begin}{day.isoformat()}"


def _draw(what: str, days: Sequence[Day], series: list[Series]) -> DayChart:
    yesterday = day_of(utc_now()) - timedelta(days=1)
    return draw_days(what, [day.day for day in days], series, MONTH_DAYS, yesterday)


def list_systems(systems: Mapping[tuple[str, str], int]) -> list[Row]:
    """The most frequent first, builds of a version together."""
    beginnings: Counter[tuple[str, str]] = Counter()
    for (kind, version), number in systems.items():
        beginnings[kind, _BUILD.sub("", version)] += number
    most = beginnings.most_common(MOST_SYSTEMS)
    longest = most[0][1] if most else 1
    return [
        Row(
            label=name_system(kind, begin),
            number=number,
            share=100 * number / longest,
            url=url_for("assets.index", os=kind, system=begin),
        )
        for (kind, begin), number in most
    ]


def name_system(kind: str, version: str) -> str:
    """`Windows 11 Pro 23H2`, of `Windows` and `11 Pro, 64 bit v23H2`."""
    name = " ".join(_WIDTH_OF_SYSTEM.sub(" ", version).split())
    if kind == "Linux" or kind.lower() in name.lower():
        return name[:1].upper() + name[1:]
    return f"{kind} {name}"


def list_versions(versions: Mapping[str, int]) -> list[Row]:
    """Of agents, the newest first, and the oldest together."""
    newest_first = sorted(versions, key=version_key, reverse=True)
    shown, others = newest_first[:MOST_VERSIONS], newest_first[MOST_VERSIONS:]
    longest = max(versions.values(), default=1)
    rows = [
        Row(
            label=version,
            number=versions[version],
            share=100 * versions[version] / longest,
            url=url_for("assets.index", agent=version),
            note="newest" if version == newest_first[0] else "",
        )
        for version in shown
    ]
    if others:
        number = sum(versions[each] for each in others)
        where = url_for("assets.index", behind=shown[-1])
        rows.append(Row(f"Older than {shown[-1]}", number, 100 * number / longest, where))
    return rows


def list_upkeep(fleet: Fleet, unmapped: int | None) -> list[Row]:
    """What is to be kept up, and where Tactical and the portal are apart. `unmapped` is how many
    organizations have no client; None for whoever is limited."""
    versions = fleet.agent_versions
    newest = max(versions, key=version_key, default="")
    rows = [("Reboot due", fleet.reboots_due, url_for("assets.index", reboot="due"))]
    if newest:
        behind = sum(versions[each] for each in list_behind(versions, newest))
        where = url_for("assets.index", behind=newest)
        rows.append((f"Agent older than {newest}, the newest here", behind, where))
    missing = fleet.assets_by_status["missing"]
    elsewhere = url_for("assets.index", elsewhere="yes")
    rows += [
        ("Not in Tactical any more", missing, url_for("assets.index", status="missing")),
        ("At another client than Tactical says", fleet.elsewhere, elsewhere),
    ]
    if unmapped is not None:
        where = url_for("organizations.index", show="unmapped")
        rows.append(("Organizations without a client", unmapped, where))
    return [Row(text, number, 0, where) for text, number, where in rows]


def list_reasons(client: ClientState) -> list[Reason | None]:
    """In the order in which they count, each in its column; None for what there is none of."""
    errors, warnings = (
        Reason(plural(n, word), tone, url_for("alerts.index", client_id=client.id, severity=word))
        if n
        else None
        for n, word, tone in (
            (client.errors, "error", "bad"),
            (client.warnings, "warning", "warn"),
        )
    )
    where = url_for("assets.index", client_id=client.id, status="overdue")
    overdue = Reason(f"{client.overdue:,} overdue", "bad", where) if client.overdue else None
    return [errors, overdue, warnings]
