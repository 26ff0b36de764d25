"""Messages about alerts: from Tactical's webhook to the far side, at 20 alerts a second.

    .venv/bin/python -m benchmarks.alert_messages [--seconds 60]

A whole portal on SQLite, with its workers. 50 rules are switched on, of which the last one matches,
and 20 maintenance windows are in force, of which none covers the alerts. What Tactical raises
within one second is a burst: its first message should arrive within 5 s.
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from sqlalchemy import select

from portal import create_app
from portal.clock import utc_now
from portal.config import read_settings
from portal.db import db, transaction
from portal.models import Alert, AlertHandling, AlertRule, Channel, MaintenanceWindow, Message
from portal.services.rules.terms import Conditions, Steps, Text, to_json
from portal.services.webhook.keys import reveal
from portal.tactical.webhook import FAILURE_BODY, RESOLVED_BODY, headers_text
from portal.vault import store_secret
from tactical_simulator import FleetSpec, SimulatedTactical
from tests.channels.far_side import FarSide, answering
from tests.support.keys import KEYS
from tests.support.running import free_port, running_portal
from tests.support.webhooks import Msp, make_msp

RATE = 20
RULES, WINDOWS = 50, 20
PATIENCE = 60.0
FLEET = FleetSpec(clients=5, sites=10, agents=200, titles=5, frozen=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=60)
    seconds = parser.parse_args().seconds
    environ = {**KEYS, "PORTAL_EGRESS_ALLOW": "127.0.0.0/8", "PORTAL_LOG_LEVEL": "WARNING"}
    with (
        tempfile.TemporaryDirectory() as folder,
        answering() as far_side,
        SimulatedTactical(FLEET) as tactical,
        running_portal(Path(folder) / "var", free_port(), **environ) as portal,
    ):
        portal.wait_for("one-time token")
        app = create_app(read_settings(portal.environ))
        address = f"http://127.0.0.1:{portal.environ['PORTAL_PORT']}"
        msp = make_msp(app, tactical, address)
        prepare(msp, far_side)
        raised = raise_alerts(msp, seconds)
        report(raised, wait_for(msp, far_side, raised))


def prepare(msp: Msp, far_side: FarSide) -> None:
    with msp.scope():
        url = f"{msp.portal}/api/webhooks/tacticalrmm?tenant={msp.slug}"
        headers = headers_text(reveal())
        msp.tactical.control.alerts.install_webhook(url, FAILURE_BODY, RESOLVED_BODY, headers)
        with transaction() as session:
            settings = {"method": "POST", "format": "json"}
            channel = Channel(kind="http", name="Ops", settings=settings, most_per_minute=100_000)
            session.add(channel)
            session.flush()
            store_secret(session, channel, "url", far_side.url)
            for number in range(1, RULES + 1):
                sought = Text(f"never[{number}] found", is_pattern=True)
                conditions = Conditions(text=sought if number < RULES else None)
                session.add(
                    AlertRule(
                        name=f"Rule {number}",
                        position=number,
                        conditions=to_json(conditions),
                        steps=to_json(Steps(notify=(channel.id,))),
                        switched_on_at=utc_now(),
                    )
                )
            for number in range(WINDOWS):
                session.add(
                    MaintenanceWindow(
                        name=f"Window {number}",
                        zone="Europe/Berlin",
                        starts="2026-01-01T00:00",
                        minutes=1440,
                        repeats={"every": "day"},
                        scope={"assets": [10**9 + number]},
                        created_by="bench",
                    )
                )


def raise_alerts(msp: Msp, seconds: int) -> dict[str, float]:
    """When each was raised, by Tactical's id."""
    control = msp.tactical.control
    agents = itertools.cycle(control.agents.ids())
    raised, begun = {}, time.monotonic()
    for number in range(seconds * RATE):
        time.sleep(max(0.0, begun + number / RATE - time.monotonic()))
        now = time.monotonic()
        pk = control.alerts.trigger(next(agents), "check", wait=False)
        if pk is not None:  # one in maintenance raises nothing
            raised[str(pk)] = now
    return raised


def wait_for(msp: Msp, far_side: FarSide, raised: Mapping[str, float]) -> dict[str, float]:
    """When the far side heard of each."""
    give_up = time.monotonic() + PATIENCE
    while len(far_side.calls) < len(raised) and time.monotonic() < give_up:
        time.sleep(0.1)
    with msp.scope():
        rows = db.session.execute(
            select(Message.key, Alert.external_alert_id)
            .join(AlertHandling, AlertHandling.id == Message.handling_id)
            .join(Alert, Alert.id == AlertHandling.alert_id)
        )
        names = {f"{msp.slug}-{row.key}": row.external_alert_id or "" for row in rows}
    heard: dict[str, float] = {}
    for call in far_side.calls:
        heard.setdefault(names[call.json["key"]], call.at)
    return heard


def report(raised: Mapping[str, float], heard: Mapping[str, float]) -> None:
    took = {pk: heard[pk] - moment for pk, moment in raised.items() if pk in heard}
    bursts: dict[int, list[str]] = defaultdict(list)
    for number, pk in enumerate(raised):
        bursts[number // RATE].append(pk)
    firsts = [
        min(heard[pk] for pk in pks if pk in heard) - raised[pks[0]]
        for pks in bursts.values()
        if any(pk in heard for pk in pks)
    ]
    print("| from the webhook to | messages | p50 s | p99 s | slowest s |")
    print("|---|---|---|---|---|")
    for what, values in (("the first of a burst", firsts), ("each", list(took.values()))):
        numbers = " | ".join(_of(values, share) for share in (0.5, 0.99, 1))
        print(f"| {what} | {len(values)} | {numbers} |")
    print(f"\nRaised {len(raised)}, told {len(took)}.")


def _of(values: Sequence[float], share: float) -> str:
    ordered = sorted(values)
    return f"{ordered[min(len(ordered) - 1, int(share * len(ordered)))]:.2f}"


if __name__ == "__main__":
    main()
