"""The past of the demo: nightly counts of three months, as if it had run as long.

They are made up, which no real tenant's ever are.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import date, timedelta

from portal.clock import day_of, utc_now
from portal.services.assets.nightly_counts import TYPES, count_now, keep_counts

DAYS = 90
OF_A_DAY = {"error": 0.02, "warning": 0.035, "info": 0.02}
"""Alerts raised for each asset."""
OUTAGES = {6: 0.3, 23: 0.12, 61: 0.2}
"""Days ago, and the share of a client's assets that were overdue."""
GROWTH = 0.0012
"""Of the fleet, a day."""


def remember_days(seed: int) -> None:
    """Of each client, from what it has now backwards. Of nothing where nothing was synced."""
    dice, today = random.Random(seed), day_of(utc_now())  # noqa: S311  # believable, not secret
    counts = count_now()
    struck = max(counts, key=lambda client_id: counts[client_id]["online"], default=None)
    for ago in range(1, DAYS + 1):
        day = today - timedelta(days=ago)
        outage = OUTAGES.get(ago, 0)
        made_up = {
            client_id: _make_up(dice, now, day, ago, outage if client_id == struck else 0)
            for client_id, now in counts.items()
        }
        keep_counts(day, made_up)


def _make_up(
    dice: random.Random, now: Mapping[str, int], day: date, ago: int, outage: float
) -> dict[str, int]:
    """Computers are switched off at weekends, and some of them any night."""
    there = round(sum(now[word] for word in TYPES) * (1 - GROWTH * ago))
    is_weekend = day.weekday() >= 5
    offline = round(
        there * dice.uniform(0.16, 0.22) if is_weekend else there * dice.uniform(0.05, 0.1)
    )
    overdue = round(there * (outage + dice.uniform(0.0, 0.04)))
    servers = min(now["server"], there)
    alerts = {}
    for severity, rate in OF_A_DAY.items():
        raised = _some(dice, there * (rate + outage / 3) * (0.6 if is_weekend else 1))
        alerts[f"raised_{severity}"] = raised
        alerts[f"resolved_{severity}"] = _some(dice, raised * 0.95)
    return alerts | {
        **{"online": max(there - offline - overdue, 0), "offline": offline, "overdue": overdue},
        **{"unknown": 0, "missing": min(now["missing"], dice.randint(0, 2))},
        **{"server": servers, "workstation": there - servers},
        "reboots_due": round(there * dice.uniform(0.06, 0.14)),
        "installs": round(now["installs"] * (1 - GROWTH * ago)),
    }


def _some(dice: random.Random, expected: float) -> int:
    """About so many."""
    return max(round(dice.gauss(expected, expected**0.5 / 2)), 0)
