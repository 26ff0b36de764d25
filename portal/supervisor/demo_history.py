"""The past of the demo: alerts, assets and nightly counts, as if it had run for three months.

They are made up, which no real tenant's ever are; but they tell one story: a day's numbers lead to
lists that hold as many.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta

from portal.clock import begin_of, day_of, utc_now
from portal.models import Asset
from portal.models.alerts.alert import Severity
from portal.services.assets.nightly_counts import TYPES, count_alerts, count_now, keep_counts
from portal.services.past.made_up import MadeUpAlert, keep_alerts, list_assets, move_back

DAYS = 90
OF_A_DAY = {Severity.ERROR: 0.02, Severity.WARNING: 0.035, Severity.INFO: 0.02}
"""Alerts raised for each asset."""
OUTAGES = {6: 0.3, 23: 0.12, 61: 0.2}
"""Days ago, and the share of a client's assets that were overdue."""
GROWTH = 0.0012
"""Of the fleet, a day."""
WORDS = {
    Severity.ERROR: ("availability", "{name} is overdue."),
    Severity.WARNING: ("check", "{name} has a disk space check that failed: 91 % of C: are used."),
    Severity.INFO: ("check", "{name} has an event log check that failed: an update was put off."),
}
"""What an alert is about, and its message."""


def remember_days(seed: int) -> None:
    """Of each client, from what it has now backwards. Of nothing where nothing was synced."""
    dice, today = random.Random(seed), day_of(utc_now())  # noqa: S311  # believable, not secret
    counts = count_now()
    struck = max(counts, key=lambda client_id: counts[client_id]["online"], default=None)
    alerts, assets = [], _by_client(list_assets())
    move_back(_spread_arrivals(assets, today))
    for ago in range(DAYS, 0, -1):
        day = today - timedelta(days=ago)
        for client_id, its in assets.items():
            outage = OUTAGES.get(ago, 0) if client_id == struck else 0
            alerts += _raise_alerts(dice, its[: _there(len(its), ago)], day, outage)
    keep_alerts(alerts)
    for ago in range(1, DAYS + 1):
        day = today - timedelta(days=ago)
        outage, told = OUTAGES.get(ago, 0), count_alerts(day)
        made_up = {
            client_id: _make_up(dice, now, day, ago, outage if client_id == struck else 0)
            | told[client_id]
            for client_id, now in counts.items()
        }
        keep_counts(day, made_up)


def _by_client(assets: Iterable[Asset]) -> dict[int, list[Asset]]:
    found: dict[int, list[Asset]] = defaultdict(list)
    for asset in assets:
        if asset.missing_since is None:
            found[asset.client_id].append(asset)
    return found


def _there(now: int, ago: int) -> int:
    """How many of them there were on that day."""
    return round(now * (1 - GROWTH * ago))


def _spread_arrivals(assets: Mapping[int, Sequence[Asset]], today: date) -> dict[int, datetime]:
    """When each asset came, by its id: so many that each day's count is right at its end."""
    came: dict[int, datetime] = {}
    for its in assets.values():
        for ago in range(DAYS + 1, -1, -1):
            arrived = its[: _there(len(its), ago)]
            at = min(begin_of(today - timedelta(days=ago)) + timedelta(hours=9), utc_now())
            came |= {asset.id: at for asset in arrived if asset.id not in came}
    return came


def _raise_alerts(
    dice: random.Random, there: Sequence[Asset], day: date, outage: float
) -> list[MadeUpAlert]:
    """That day's, most of which last an hour or two; fewer at weekends."""
    begin, end = begin_of(day), utc_now() - timedelta(hours=1)
    share = 0.6 if day.weekday() >= 5 else 1
    alerts = []
    for severity, rate in OF_A_DAY.items():
        kind, words = WORDS[severity]
        for _ in range(_some(dice, len(there) * (rate + outage / 3) * share)):
            asset = dice.choice(there)
            began = begin + timedelta(minutes=dice.randrange(23 * 60))
            lasted = timedelta(minutes=round(dice.lognormvariate(4.6, 1.1)) + 1)
            over = min(began + lasted, end)
            text = words.format(name=asset.name)
            alerts.append(MadeUpAlert(asset, severity, kind, text, began, max(over, began)))
    return alerts


def _make_up(
    dice: random.Random, now: Mapping[str, int], day: date, ago: int, outage: float
) -> dict[str, int]:
    """Computers are switched off at weekends, and some of them any night."""
    there = _there(sum(now[word] for word in TYPES), ago)
    is_weekend = day.weekday() >= 5
    offline = round(
        there * dice.uniform(0.16, 0.22) if is_weekend else there * dice.uniform(0.05, 0.1)
    )
    overdue = round(there * (outage + dice.uniform(0.0, 0.04)))
    servers = min(now["server"], there)
    return {
        **{"online": max(there - offline - overdue, 0), "offline": offline, "overdue": overdue},
        **{"unknown": 0, "missing": 0},
        **{"server": servers, "workstation": there - servers},
        "reboots_due": round(there * dice.uniform(0.06, 0.14)),
        "installs": round(now["installs"] * (1 - GROWTH * ago)),
    }


def _some(dice: random.Random, expected: float) -> int:
    """About so many."""
    return max(round(dice.gauss(expected, expected**0.5 / 2)), 0)
