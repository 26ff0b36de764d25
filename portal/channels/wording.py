"""The default words of a message: what happened and to what first, as a phone shows little."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from portal.channels.telling import AlertFacts, Telling
from portal.wording import join_words, plural, say_moment

STATES = {
    "availability": ("Overdue", "Was overdue"),
    "check": ("Check failing", "Check was failing"),
    "task": ("Task failed", "Task had failed"),
}
"""Kind of an alert -> what is wrong: now, and once it is over."""
OTHER_STATE = ("Alert", "Alert was raised")
MAY_BE_DOUBLE = "This may be a second copy: the answer to an earlier attempt to send it was lost."
SERVER = "server"
MOST_LINES = 5
"""Alerts of a digest that get a line of their own."""


def say_state(reason: str, alert: AlertFacts) -> str:
    """`Overdue`, `Still overdue`, `Not acknowledged, overdue`, `Resolved`, `Was overdue`."""
    now, was = STATES.get(alert.kind, OTHER_STATE)
    if reason == "resolved":
        return "Resolved"
    if alert.over is not None:
        return was
    if reason == "reminder":
        return f"Still {now[0].lower()}{now[1:]}" if now != OTHER_STATE[0] else "Still active"
    if reason == "escalated":
        return f"Not acknowledged, {now[0].lower()}{now[1:]}"
    return now


def say_about(alert: AlertFacts) -> str:
    """`SRV-01 (Contoso)`, with what is known of it."""
    if alert.hostname and alert.client:
        return f"{alert.hostname} ({alert.client})"
    return alert.hostname or alert.client or alert.message or "an alert without a computer"


def say_title(telling: Telling) -> str:
    """`Overdue: SRV-01 (Contoso)`, `14 alerts: Contoso (9) and Fabrikam (5)`."""
    if telling.groups:
        names = [f"{group.client} ({group.alerts:,})" for group in telling.groups[:MOST_LINES]]
        rest = len(telling.groups) - len(names)
        names += [plural(rest, "other client")] if rest else []
        return f"{plural(_count(telling), 'alert')}: {join_words(names)}"
    if not telling.alerts:
        return telling.title
    alert = telling.alerts[0]
    title = f"{say_state(telling.reason, alert)}: {say_about(alert)}"
    return f"{title}, {alert.check}" if alert.check else title


def say_lines(telling: Telling) -> list[str]:
    """Of a digest: the alerts that get a line of their own, then the rest by client."""
    shown = telling.alerts[:MOST_LINES]
    lines = [_say_one(telling.reason, alert) for alert in shown]
    for group in telling.groups:
        told = [alert.asset_type for alert in shown if alert.client == group.client]
        left = group.alerts - len(told)
        if left > 0:
            servers = group.types.get(SERVER, 0) - told.count(SERVER)
            begins = f"and {left:,} more" if told else plural(left, "alert")
            lines.append(f"{begins} of {group.client}{_say_servers(servers, left)}")
    return lines


def say_facts(alert: AlertFacts) -> Iterator[tuple[str, str]]:
    """Label and value, of what is known and not in the title."""
    yield "Site", alert.site
    yield "Severity", alert.severity if alert.kind != "availability" else ""
    yield "Urgency", alert.urgency if alert.urgency != "normal" else ""
    yield "Began", say_moment(alert.began)
    if alert.over is not None:
        yield "Over", f"{say_moment(alert.over)}, after {say_length(alert.over - alert.began)}"
    yield "Occurrence", f"{alert.occurrence:,}" if alert.occurrence > 1 else ""
    yield "Rule", alert.rule


def list_links(telling: Telling) -> list[tuple[str, str]]:
    """Label and address of what can be opened, unless many alerts are told at once."""
    if telling.groups or not telling.alerts:
        return list(telling.links)
    alert = telling.alerts[0]
    links = [("Acknowledge", alert.acknowledge_url), ("Open in the portal", alert.url)]
    return [(label, url) for label, url in links if url]


def say_length(length: timedelta) -> str:
    """`40 seconds`, `12 minutes`, `3 hours`, `2 days`: the largest that it fills twice."""
    seconds = max(0, int(length.total_seconds()))
    for size, noun in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= 2 * size or (size == 60 and seconds >= size):
            return plural(seconds // size, noun)
    return plural(seconds, "second")


def _say_one(reason: str, alert: AlertFacts) -> str:
    line = f"{say_state(reason, alert)}: {say_about(alert)}"
    return f"{line}, {alert.check}" if alert.check else line


def _say_servers(servers: int, alerts: int) -> str:
    if servers <= 0:
        return ""
    if alerts == 1:
        return ", a server"
    return ", all of them servers" if servers == alerts else f", {servers:,} of them servers"


def _count(telling: Telling) -> int:
    return sum(group.alerts for group in telling.groups)
