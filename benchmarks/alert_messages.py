"""Messages about alerts: from Tactical's webhook to the far side, at 20 alerts a second.

    .venv/bin/python -m benchmarks.alert_messages [--seconds 60]

A whole portal on SQLite, with its workers. 50 rules are switched on, each with a channel of its
own, and 20 maintenance windows are in force, of which none covers the alerts. Forty alerts in a row
are a burst, which one rule matches; its first message should arrive within 5 s of its first
webhook.
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
import time
from datetime import datetime
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal import create_app
from portal.clock import utc_now
from portal.config import read_settings
from portal.db import db, transaction
from portal.models import Alert, AlertRule, Channel, Delivery, MaintenanceWindow
from portal.services.rules.terms import Conditions, Steps, Text, to_json
from portal.services.webhook.keys import reveal
from portal.tactical.webhook import FAILURE_BODY, RESOLVED_BODY, headers_text
from portal.vault import store_secret
from tactical_simulator import FleetSpec, SimulatedTactical
from tests.channels.far_side import FarSide, answering
from tests.support.keys import KEYS
from tests.support.running import free_port, running_portal
from tests.support.webhooks import Msp, make_msp

RATE, BURST = 20, 40
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
        report(measure(msp, far_side, raise_bursts(msp, seconds)))


def prepare(msp: Msp, far_side: FarSide) -> None:
    with msp.scope():
        url = f"{msp.portal}/api/webhooks/tacticalrmm?tenant={msp.slug}"
        headers = headers_text(reveal())
        msp.tactical.control.alerts.install_webhook(url, FAILURE_BODY, RESOLVED_BODY, headers)
        with transaction() as session:
            for number in range(RULES):
                add_rule(session, number, far_side.url)
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


def add_rule(session: Session, number: int, url: str) -> None:
    """For the burst of that number, with a channel of the usual limit."""
    channel = Channel(kind="http", name=f"{number}", settings={"method": "POST", "format": "json"})
    session.add(channel)
    session.flush()
    store_secret(session, channel, "url", f"{url}/{number}")
    sought = Text(f"burst {number}$", is_pattern=True)
    session.add(
        AlertRule(
            name=f"Rule {number}",
            position=number,
            conditions=to_json(Conditions(text=sought)),
            steps=to_json(Steps(notify=(channel.id,))),
            switched_on_at=utc_now(),
        )
    )


def raise_bursts(msp: Msp, seconds: int) -> int:
    """How many bursts there were."""
    control = msp.tactical.control
    agents = itertools.cycle(control.agents.ids())
    number, begun = min(seconds * RATE // BURST, RULES), time.monotonic()
    for at in range(number * BURST):
        time.sleep(max(0.0, begun + at / RATE - time.monotonic()))
        control.alerts.trigger(next(agents), "check", message=f"burst {at // BURST}", wait=False)
    control.alerts.drain()
    return number


def measure(msp: Msp, far_side: FarSide, bursts: int) -> list[float]:
    """Seconds from the first webhook of each burst to its first message."""
    give_up = time.monotonic() + PATIENCE
    while len({call.path for call in far_side.calls}) < bursts and time.monotonic() < give_up:
        time.sleep(0.1)
    heard: dict[str, datetime] = {}
    for call in far_side.calls:
        heard.setdefault(call.path.strip("/"), call.at)
    with msp.scope():
        rows = db.session.execute(
            select(Alert.message, func.min(Delivery.received_at).label("at"))
            .join(Delivery, Delivery.alert_id == Alert.id)
            .group_by(Alert.message)
        )
        begun = {(row.message or "").removeprefix("burst "): row.at for row in rows}
    return [(heard[name] - at).total_seconds() for name, at in begun.items() if name in heard]


def report(seconds: list[float]) -> None:
    ordered = sorted(seconds)
    p50, p99 = (ordered[min(len(ordered) - 1, int(share * len(ordered)))] for share in (0.5, 0.99))
    print("| bursts | p50 s | p99 s | slowest s |")
    print("|---|---|---|---|")
    print(f"| {len(ordered)} | {p50:.2f} | {p99:.2f} | {ordered[-1]:.2f} |")


if __name__ == "__main__":
    main()
