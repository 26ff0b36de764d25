"""Alerts by the hundred while Redis and workers fail: in the end the portal has the truth."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import func, select

from portal.db import db
from portal.models import Alert, Delivery, SyncRun
from portal.models.runs.sync_run import SyncKind
from portal.services.webhook.keys import reveal
from portal.tactical.reading.text import clean_prose
from portal.tactical.webhook import FAILURE_BODY, RESOLVED_BODY, headers_text
from tests.soak.chaos import Chaos
from tests.support.running import RunningPortal
from tests.support.webhooks import Msp

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc"),
    pytest.mark.one_database,
    pytest.mark.fleet(frozen=False),
]

RICH = '{"message":"{{alert.message}}",'
"""What an admin may add to the portal's bodies: free text, first as the contract advises."""
MESSAGES = (
    'service "Print Spooler" stopped',
    "C:\\temp\\new\\report is full\\",
    "two\nlines\r\nand a\ttab",
    'x","event":"resolve","alert_id":"{other}","z":"',
    'y","severity":"info","agent_id":"nobody","z":"',
    "Ünïcode ✓ \x1b[31m",
    "{{alert.id}} {not json",
)
PATIENCE = 40
"""Seconds after the last alert: what a killed worker held goes on within 20 of them."""
SOAKS = int(os.environ.get("SOAKS", "1"))
"""`make soak SOAKS=20 BUSY=1` sets both."""
IS_BUSY = os.environ.get("BUSY", "0") == "1"
Truth = dict[str, tuple[bool, datetime | None, str, str]]


@pytest.fixture(scope="module")
def equal_after() -> list[float]:
    """Seconds, of each soak that came to its end."""
    return []


@pytest.fixture(scope="module")
def busy_core() -> Iterator[None]:
    """Another process that takes what it gets of a core, where that was asked for."""
    if not IS_BUSY:
        yield
        return
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as process:
        yield
        process.kill()


def install(msp: Msp, failure: str, resolved: str) -> None:
    with msp.scope():
        headers = headers_text(reveal())
    url = f"{msp.portal}/api/webhooks/tacticalrmm?tenant={msp.slug}"
    msp.tactical.control.alerts.install_webhook(url, failure, resolved, headers)


def raise_alerts(msp: Msp, number: int, steps: dict[int, Callable[[], None]]) -> Counter[int]:
    """Raise them, resolve most of them, do each step when its turn comes; answers by status."""
    control, dice = msp.tactical.control.alerts, random.Random(number)
    agents = msp.tactical.control.agents.ids()
    raised: list[int] = []
    answers: Counter[int] = Counter()
    for at in range(number):
        steps.get(at * 100 // number, lambda: None)()
        steps.pop(at * 100 // number, None)
        other = str(dice.choice(raised)) if raised else "1"
        message = dice.choice(MESSAGES).replace("{other}", other)
        severity: Any = dice.choice(["error", "warning"])
        kind: Any = dice.choice(["check", "task"])
        pk = control.trigger(dice.choice(agents), kind, severity=severity, message=message)
        assert pk is not None
        raised.append(pk)
        answers[control.runs(pk)["failure"].retcode or 0] += 1
        if dice.random() < 0.7:
            pk = raised.pop(dice.randrange(len(raised)))
            control.resolve(pk)
            answers[control.runs(pk)["resolved"].retcode or 0] += 1
        if dice.random() < 0.05:
            answers[control.send_again(pk, dice.choice(["failure", "resolved"]))] += 1
    return answers


def truth(msp: Msp) -> Truth:
    return {
        str(alert["id"]): (
            alert["resolved"],
            alert["resolved_on"],
            alert["severity"],
            clean_prose(alert["message"]),
        )
        for alert in msp.tactical.control.truth.alerts()
    }


def portals(msp: Msp) -> Truth:
    with msp.scope():
        rows = db.session.scalars(select(Alert)).all()
        return {
            row.external_alert_id or f"nameless {row.id}": (
                row.status == "resolved",
                row.resolved_at,
                str(row.severity),
                row.message or "",
            )
            for row in rows
        }


def count_deliveries(msp: Msp) -> int:
    with msp.scope():
        return db.session.scalar(select(func.count()).select_from(Delivery)) or 0


def counts(msp: Msp) -> dict[str, int]:
    with msp.scope():
        rows = db.session.execute(
            select(Delivery.status, func.count()).group_by(Delivery.status)
        ).all()
        runs = select(func.count()).select_from(SyncRun).where(SyncRun.kind == SyncKind.AGENT)
        return {str(row[0]): row[1] for row in rows} | {"refreshes": db.session.scalar(runs) or 0}


def soak(msp: Msp, portal: RunningPortal, number: int) -> dict[str, Any]:
    """What was found. The webhooks alone have to tell everything, and in time."""
    chaos = Chaos(portal)
    steps = {
        10: chaos.kill_workers,
        25: lambda: chaos.signal_redis(signal.SIGSTOP),
        40: chaos.kill_workers,
        50: lambda: install(msp, RICH + FAILURE_BODY[1:], RICH + RESOLVED_BODY[1:]),
        60: lambda: chaos.signal_redis(signal.SIGCONT),
        70: chaos.kill_workers,
        80: lambda: chaos.signal_redis(signal.SIGKILL),
        90: chaos.kill_workers,
    }
    install(msp, FAILURE_BODY, RESOLVED_BODY)
    begun = time.monotonic()
    answers = raise_alerts(msp, number, steps)
    sent, wanted = time.monotonic() - begun, truth(msp)

    assert set(answers) == {202}
    assert count_deliveries(msp) == answers.total(), "what was answered with 202 is stored"
    while (found := portals(msp)) != wanted and time.monotonic() - begun - sent < PATIENCE:
        time.sleep(0.2)
    equal_after = round(time.monotonic() - begun - sent, 1)
    missing = sum(found.get(pk) != row for pk, row in wanted.items())
    assert found == wanted, (
        f"{missing} of {len(wanted)} alerts are missing or wrong {equal_after} s after the last "
        f"one; deliveries: {counts(msp)}\n{portal.output}"
    )
    assert not {"failed", "needs_review", "test"} & counts(msp).keys()
    return {
        "alerts": len(wanted),
        "answers": json.dumps(dict(answers)),
        "sent_in": round(sent, 1),
        "equal_after": equal_after,
        "killed": chaos.killed,
        **counts(msp),
    }


def test_a_short_storm(msp: Msp, portal: RunningPortal, record_property: Any) -> None:
    record_property("soak", soak(msp, portal, 80))


@pytest.mark.soak
@pytest.mark.usefixtures("busy_core")
@pytest.mark.parametrize("number", range(1, SOAKS + 1))
def test_a_thousand_alerts(
    number: int,
    msp: Msp,
    portal: RunningPortal,
    equal_after: list[float],
    capsys: pytest.CaptureFixture[str],
) -> None:
    found = soak(msp, portal, 1000)
    equal_after.append(found["equal_after"])
    with capsys.disabled():
        print(f"\nSoak {number} of {SOAKS}: {found}")
        print(
            f"Equal {equal_after[-1]} s after the last alert; the slowest so far: "
            f"{max(equal_after)} s."
        )
