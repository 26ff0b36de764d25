"""Alerts by the thousand while all parts are killed and channels misbehave: each one is accounted
for, from Tactical to the far side, and nobody is told twice but where an answer was lost."""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import func, or_, select

from portal.channels.wording import MAY_BE_DOUBLE
from portal.clock import utc_now
from portal.db import db, transaction
from portal.models import Alert, AlertHandling, AlertRule, Channel, Message
from portal.models.alerts.handling import HandlingState
from portal.models.channels.message import MessageReason, MessageStatus
from portal.models.runs.sync_run import SyncKind
from portal.services.handling.units import TOLD_AT_ONCE
from portal.services.integrations import connect
from portal.services.rules.terms import Conditions, Steps, to_json
from portal.services.runs import execution
from portal.sync.alerts.news import OVER_AT_FIRST
from portal.tactical.webhook import FAILURE_BODY, RESOLVED_BODY
from portal.vault import store_secret
from tests.channels.far_side import Call, FarSide, Planned, answering
from tests.soak.chaos import Chaos
from tests.soak.reporting import Intake, describe
from tests.soak.test_soak import install, truth
from tests.support.running import RunningPortal
from tests.support.webhooks import Msp

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc"),
    pytest.mark.fleet(frozen=False),
]

SOAKS = int(os.environ.get("SOAKS", "1"))
ALERTS = int(os.environ.get("ALERTS", "10000"))
SHORT = 1000
"""Fewer alerts are a storm for every day."""
LOST, LATE = Planned(hangs_up=True), Planned(seconds=0.3)
FAULTS = (LOST, LATE, Planned(status=500))
KNOWS_KEYS = {"Ops": False, "Pager": True}


@pytest.fixture
def far_side() -> Iterator[FarSide]:
    with answering() as far_side:
        yield far_side


def tell_channels(msp: Msp, far_side: FarSide, most: int) -> None:
    """Errors go to one that knows no keys, warnings to one that does."""
    with msp.scope(), transaction() as session:
        for name, severity in (("Ops", "error"), ("Pager", "warning")):
            settings = {"method": "POST", "format": "json", "knows_keys": KNOWS_KEYS[name]}
            channel = Channel(kind="http", name=name, settings=settings, most_per_minute=most)
            session.add(channel)
            session.flush()
            store_secret(session, channel, "url", f"{far_side.url}/{name}")
            conditions = Conditions(severities=(severity,))  # type: ignore[arg-type]
            session.add(
                AlertRule(
                    name=name,
                    position=channel.id,
                    conditions=to_json(conditions),
                    steps=to_json(Steps(notify=(channel.id,))),
                    switched_on_at=utc_now(),
                )
            )
    with msp.scope():
        connect.save_connection(connect.ConnectionSettings(options={"alert_history_days": 1}))


def raise_alerts(
    msp: Msp, number: int, intake: Intake, do_step: Callable[[int], None]
) -> list[int]:
    """`do_step` is told how far it is, of a hundred."""
    control, dice = msp.tactical.control.alerts, random.Random(number)
    agents = msp.tactical.control.agents.ids()
    raised = []
    for at in range(number):
        do_step(at * 100 // number)
        severity: Any = dice.choice(["error", "warning"])
        pk = control.trigger(dice.choice(agents), "check", severity=severity)
        assert pk is not None
        intake.note(pk, "failure")
        raised.append(pk)
    return raised


def resolve_most(msp: Msp, pks: list[int], intake: Intake, do_step: Callable[[int], None]) -> None:
    dice = random.Random(len(pks))
    for at, pk in enumerate(pks):
        do_step(at * 100 // len(pks))
        if dice.random() < 0.9:
            msp.tactical.control.alerts.resolve(pk)
            intake.note(pk, "resolved")


def find_missed(msp: Msp) -> None:
    """What came while the web server was dead."""
    with msp.scope():
        execution.run_to_end(SyncKind.ALERTS)


def wait_until_quiet(msp: Msp, patience: float) -> None:
    give_up = time.monotonic() + patience
    while (left := count_open(msp)) != (0, 0) and time.monotonic() < give_up:
        time.sleep(0.2)
    assert left == (0, 0), f"{left} handlings and messages still wait after {patience:.0f} s."


def count_open(msp: Msp) -> tuple[int, int]:
    """Handlings to look at, and messages to send."""
    undecided = AlertHandling.state == HandlingState.UNDECIDED
    due = or_(undecided, AlertHandling.due_at.is_not(None))
    waiting = Message.status == MessageStatus.WAITING
    with msp.scope():
        handlings = db.session.scalar(select(func.count(AlertHandling.id)).where(due))
        messages = db.session.scalar(select(func.count(Message.id)).where(waiting))
        return handlings or 0, messages or 0


def account(msp: Msp, far_side: FarSide) -> Counter[str]:
    """What became of the alerts; fails where one, or a message, is not accounted for."""
    with msp.scope():
        alerts = db.session.scalars(select(Alert)).all()
        handlings = db.session.scalars(select(AlertHandling)).all()
        messages = db.session.scalars(select(Message)).all()
    assert {alert.external_alert_id for alert in alerts} == truth(msp).keys()
    told: dict[int, list[Message]] = defaultdict(list)
    for message in messages:
        told[message.handling_id or 0].append(message)
    by_alert = Counter(handling.alert_id for handling in handlings)
    lost = [alert.id for alert in alerts if by_alert[alert.id] != alert.occurrences]
    assert lost == [], "alerts without a handling of each occurrence"
    found = Counter(judge(handling, told[handling.id]) for handling in handlings)
    assert not [name for name in found if name.startswith("LOST")], found
    return found + check_far_side(messages, far_side)


def judge(handling: AlertHandling, told: list[Message]) -> str:
    """How it ended, in a word or two."""
    if handling.state is HandlingState.SILENT:
        return "over when first read" if handling.reason == OVER_AT_FIRST else "LOST: silent"
    raised = [each for each in told if each.reason is MessageReason.RAISED]
    resolved = [each for each in told if each.reason is MessageReason.RESOLVED]
    if [each.status for each in raised] != [MessageStatus.SENT]:
        return "LOST: not told"
    if handling.over_at is None:
        return "told and active" if not resolved else "LOST: resolved too early"
    if raised[0].facts.get("told_over") and not resolved:
        return "told once, when over"
    [end] = resolved
    if end.status is MessageStatus.SENT:
        return "told, and told that it is over"
    return "told once, when over" if end.answer == TOLD_AT_ONCE else f"LOST: {end.answer}"


def check_far_side(messages: Any, far_side: FarSide) -> Counter[str]:
    """All that was sent arrived; what arrived twice says so, or carried a key that is known."""
    by_id = {message.id: message for message in messages}
    copies: dict[str, list[Call]] = defaultdict(list)
    for call in far_side.calls:
        if call.planned.status == 200:
            copies[call.json["key"].partition("-")[2]].append(call)
    sent = [message for message in messages if message.status is MessageStatus.SENT]
    tellers = {by_id[message.told_in or message.id].key for message in sent}
    assert tellers == copies.keys()
    doubles = 0
    for key, calls in copies.items():
        name = calls[0].path.strip("/")
        marked = [call.json["note"] == MAY_BE_DOUBLE for call in calls[1:]]
        assert all(marked) or KNOWS_KEYS[name], f"{key} was told twice without a word"
        doubles += len(marked)
    return Counter(
        {"messages": len(sent), "requests taken": len(far_side.calls), "doubles": doubles}
    )


def soak(msp: Msp, portal: RunningPortal, far_side: FarSide, number: int) -> Counter[str]:
    chaos, intake = Chaos(portal), Intake(msp)
    tell_channels(msp, far_side, most=1000 if number < SHORT else 60)
    install(msp, FAILURE_BODY, RESOLVED_BODY)
    try:
        storm(msp, chaos, intake, number)
    except AssertionError as error:
        raise AssertionError(f"{error}\n{describe(msp, portal, chaos, intake)}") from None
    return account(msp, far_side)


def storm(msp: Msp, chaos: Chaos, intake: Intake, number: int) -> None:
    """Until nothing waits any more."""
    while_raised: dict[int, Callable[[], None]] = {50: chaos.kill_all}
    while_resolved: dict[int, Callable[[], None]] = {50: lambda: chaos.signal_redis(signal.SIGKILL)}
    if number >= SHORT:
        while_raised[20] = lambda: chaos.signal_redis(signal.SIGSTOP)
        while_raised[70] = chaos.kill_all
        while_raised[90] = lambda: chaos.signal_redis(signal.SIGCONT)
        while_resolved[20] = while_resolved[80] = chaos.kill_all
    pks = raise_alerts(msp, number, intake, lambda at: while_raised.pop(at, lambda: None)())
    find_missed(msp)
    resolve_most(msp, pks, intake, lambda at: while_resolved.pop(at, lambda: None)())
    find_missed(msp)
    wait_until_quiet(msp, 90 + number / 20)


@pytest.mark.one_database
def test_a_short_storm_of_messages(
    msp: Msp, portal: RunningPortal, far_side: FarSide, record_property: Any
) -> None:
    far_side.plan = [Planned(), LOST, LATE, Planned(status=500)]
    record_property("soak", dict(soak(msp, portal, far_side, 60)))


@pytest.mark.soak
@pytest.mark.parametrize("number", range(1, SOAKS + 1))
def test_ten_thousand_alerts(
    number: int,
    database_kind: str,
    msp: Msp,
    portal: RunningPortal,
    far_side: FarSide,
    capsys: pytest.CaptureFixture[str],
) -> None:
    begun, dice = time.monotonic(), random.Random(number)
    far_side.plan = [
        dice.choice(FAULTS) if dice.random() < 0.1 else Planned() for _ in range(4 * ALERTS)
    ]
    found = soak(msp, portal, far_side, ALERTS)
    with capsys.disabled():
        seconds = time.monotonic() - begun
        print(
            f"\nSoak of messages {number} of {SOAKS} on {database_kind}: {seconds:.0f} s, "
            f"{dict(found)}"
        )
