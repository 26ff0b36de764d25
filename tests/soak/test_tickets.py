"""Alerts by the thousand while all parts are killed and helpdesks lose answers: each one hangs on
one ticket, and nobody is asked to look but where the helpdesk cannot be asked."""

from __future__ import annotations

import os
import random
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from sqlalchemy import func, select

from portal.clock import utc_now
from portal.db import db, transaction
from portal.models import (
    Alert,
    AlertHandling,
    AlertRule,
    Helpdesk,
    Ticket,
    TicketAlert,
    TicketTask,
)
from portal.models.alerts.handling import HandlingState
from portal.models.tickets.ticket import TaskStatus, TicketStatus
from portal.services.integrations import connect
from portal.services.rules.terms import Conditions, Steps, TicketStep, to_json
from portal.services.tickets.attempts import OPENS_AGAIN
from portal.sync.alerts.news import OVER_AT_FIRST
from portal.tactical.webhook import FAILURE_BODY, RESOLVED_BODY
from portal.vault import store_secret
from tests.helpdesks.benches import HTTP_SETTINGS
from tests.helpdesks.simulated import TOKEN, Fault, SimulatedHelpdesk, simulated
from tests.helpdesks.simulated import Ticket as There
from tests.soak.chaos import Chaos
from tests.soak.reporting import Intake, describe
from tests.soak.test_messages import SHORT, find_missed, storm, wait_until_quiet
from tests.soak.test_soak import SOAKS, install, truth
from tests.support.running import RunningPortal
from tests.support.webhooks import Msp

ALERTS = int(os.environ.get("ALERTS", "10000"))
pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc"),
    pytest.mark.fleet(frozen=False),
]
FAULTS = (
    *(Fault.LOSES_ANSWER, Fault.DOES_LATER, Fault.CUT_OFF, Fault.NO_JSON),
    *(Fault.ERROR_BEFORE, Fault.ERROR_AFTER),
)
LATE_SECONDS, LATE_OPENING_SECONDS = 1.0, 12.0
"""The latter is more than one look later: only what is opened is waited for that long."""
RECURS = 0.2
SAME = "The same as "
"""So begins the comment of a double that the portal closes itself."""
Desks = dict[str, SimulatedHelpdesk]


@pytest.fixture
def desks() -> Iterator[Desks]:
    """`Mute` cannot be asked by a key."""
    with ExitStack() as stack:
        found = {name: stack.enter_context(simulated()) for name in ("Asked", "Mute")}
        for desk in found.values():
            desk.delay, desk.opening_delay = LATE_SECONDS, LATE_OPENING_SECONDS
        yield found


def connect_desks(msp: Msp, desks: Desks) -> None:
    """Of errors tickets are opened in the one, of warnings in the other."""
    with msp.scope(), transaction() as session:
        for severity, (name, desk) in zip(("error", "warning"), desks.items(), strict=True):
            own = {"find_path": ""} if name == "Mute" else {}
            settings = {**HTTP_SETTINGS, "url": desk.url, **own}
            helpdesk = Helpdesk(kind="http", name=name, settings=settings, is_proven=True)
            session.add(helpdesk)
            session.flush()
            store_secret(session, helpdesk, "headers", f"Authorization: Bearer {TOKEN}")
            step = TicketStep(helpdesk=helpdesk.id, queue="support")
            conditions = Conditions(severities=(severity,))  # type: ignore[arg-type]
            session.add(
                AlertRule(
                    name=name,
                    position=helpdesk.id,
                    conditions=to_json(conditions),
                    steps=to_json(Steps(ticket=step)),
                    switched_on_at=utc_now(),
                )
            )
    with msp.scope():
        connect.save_connection(connect.ConnectionSettings(options={"alert_history_days": 1}))


def raise_again(msp: Msp, intake: Intake) -> None:
    """Some of those that are over, while their tickets are being closed or just were."""
    control, dice = msp.tactical.control.alerts, random.Random(1)
    over = [row for row in msp.tactical.control.truth.alerts() if row["resolved"]]
    for row in over:
        if dice.random() < RECURS:
            agent, check = row["agent_id"], row["assigned_check"]
            pk = control.trigger(agent, "check", severity=row["severity"], source=check)
            assert pk is not None
            intake.note(pk, "failure")
    find_missed(msp)


def wait_for_tickets(msp: Msp, patience: float, do_step: Callable[[float], None]) -> None:
    """Until nothing waits but for a person. `do_step` is told the seconds that went by."""
    begun = time.monotonic()
    while left := count_waiting(msp):
        seconds = time.monotonic() - begun
        assert seconds < patience, f"{left} tasks wait after {patience:.0f} s: {list_stuck(msp)}"
        do_step(seconds)
        time.sleep(0.5)


def count_waiting(msp: Msp) -> int:
    with msp.scope():
        its = (TicketTask.status == TaskStatus.WAITING, Ticket.status != TicketStatus.UNSURE)
        query = select(func.count(TicketTask.id)).join(Ticket, Ticket.id == TicketTask.ticket_id)
        return db.session.scalar(query.where(*its)) or 0


def list_stuck(msp: Msp) -> list[str]:
    with msp.scope():
        rows = db.session.execute(
            select(TicketTask.verb, Ticket.status, TicketTask.attempts, func.count())
            .join(Ticket, Ticket.id == TicketTask.ticket_id)
            .where(TicketTask.status == TaskStatus.WAITING)
            .group_by(TicketTask.verb, Ticket.status, TicketTask.attempts)
        ).all()
        desks = db.session.scalars(select(Helpdesk)).all()
        return [" ".join(map(str, row)) for row in rows] + [
            f"{each.name}: due {each.due_at}, lease {each.lease}, failures {each.failures}, "
            f"last error {each.last_error}"
            for each in desks
        ]


def account(msp: Msp, desks: Desks) -> Counter[str]:
    """What became of the alerts and tickets; fails where one is not accounted for."""
    with msp.scope():
        alerts = db.session.scalars(select(Alert)).all()
        handlings = db.session.scalars(select(AlertHandling)).all()
        tickets = db.session.scalars(select(Ticket)).all()
        links = db.session.scalars(select(TicketAlert)).all()
        names = {each.id: each.name for each in db.session.scalars(select(Helpdesk))}
    assert {alert.external_alert_id for alert in alerts} == truth(msp).keys()
    by_alert = Counter(handling.alert_id for handling in handlings)
    lost = [alert.id for alert in alerts if by_alert[alert.id] != alert.occurrences]
    assert lost == [], "alerts without a handling of each occurrence"
    hangs_on: dict[int, list[int]] = defaultdict(list)
    for link in links:
        hangs_on[link.handling_id].append(link.ticket_id)
    found = Counter(judge_alert(each, hangs_on[each.id]) for each in handlings)
    active = {link.ticket_id for link in links if not link.is_over}
    by_desk: dict[str, dict[str, list[There]]] = {name: defaultdict(list) for name in desks}
    for name, desk in desks.items():
        for there in desk.tickets.values():
            by_desk[name][there.key].append(there)
    for ticket in tickets:
        name = names[ticket.helpdesk_id]
        theirs = by_desk[name].pop(ticket.key, [])
        found[f"{name}: {judge_ticket(ticket, theirs, ticket.id in active, name == 'Asked')}"] += 1
    found["LOST: there and unknown here"] += sum(map(len, by_desk.values()))
    found += Counter()  # without what is nought
    assert not [name for name in found if "LOST" in name or "DOUBLE" in name], found
    return found


def judge_alert(handling: AlertHandling, tickets: list[int]) -> str:
    if handling.state is HandlingState.SILENT:
        return "over when first read" if handling.reason == OVER_AT_FIRST else "LOST: silent"
    if handling.acknowledged_by:
        return "LOST: acknowledged, and nobody closed a ticket"
    return "on its ticket" if len(tickets) == 1 else f"LOST: on {len(tickets)} tickets"


def judge_ticket(ticket: Ticket, theirs: list[There], is_active: bool, can_find: bool) -> str:
    """How it ended, in a word or two."""
    withdrawn = [each for each in theirs if is_withdrawn(each)]
    theirs = [each for each in theirs if each not in withdrawn]
    if ticket.status is TicketStatus.UNSURE and not can_find and len(theirs) <= 1:
        return f"unsure, and {'there' if theirs else 'not there'}"
    if len(theirs) != 1:
        return f"{'DOUBLE' if theirs else 'LOST'}: {ticket.status}, and {len(theirs)} there"
    [there] = theirs
    wanted = TicketStatus.OPEN if is_active else TicketStatus.CLOSED
    if ticket.status is not wanted or there.state != wanted or ticket.reference != str(there.id):
        return f"LOST: {ticket.status}, there {there.state}, wanted {wanted}"
    texts = Counter(comment["text"] for comment in there.comments)
    if can_find and (texts.total() > len(texts) or (not is_active and not texts)):
        return "DOUBLE: its comment" if texts else "LOST: its comment"
    return f"{wanted}, and a double withdrawn" if withdrawn else str(wanted)


def is_withdrawn(there: There) -> bool:
    """By the portal itself, as a double."""
    said = [comment["text"] for comment in there.comments]
    return there.state == "closed" and any(text.startswith(SAME) for text in said)


def soak(msp: Msp, portal: RunningPortal, desks: Desks, number: int) -> Counter[str]:
    chaos, intake = Chaos(portal), Intake(msp)
    connect_desks(msp, desks)
    install(msp, FAILURE_BODY, RESOLVED_BODY)
    kills = [10.0, 40.0, 90.0] if number >= SHORT else []

    def kill(seconds: float) -> None:
        if kills and seconds > kills[0]:
            kills.pop(0)
            chaos.kill_all()

    try:
        storm(msp, chaos, intake, number)
        raise_again(msp, intake)
        wait_until_quiet(msp, 90 + number / 20)
        wait_for_tickets(msp, 90 + number / 2 + 2 * OPENS_AGAIN.total_seconds(), kill)
    except AssertionError as error:
        raise AssertionError(f"{error}\n{describe(msp, portal, chaos, intake)}") from None
    return account(msp, desks)


@pytest.mark.one_database
def test_a_short_storm_of_tickets(
    msp: Msp, portal: RunningPortal, desks: Desks, record_property: Any
) -> None:
    desks["Asked"].plan = [None, Fault.LOSES_ANSWER, None, Fault.DOES_LATER, Fault.ERROR_AFTER]
    desks["Mute"].plan = [None, Fault.LOSES_ANSWER, None, Fault.ERROR_BEFORE]
    record_property("soak", dict(soak(msp, portal, desks, 60)))


@pytest.mark.soak
@pytest.mark.parametrize("number", range(1, SOAKS + 1))
def test_ten_thousand_alerts(
    number: int,
    database_kind: str,
    msp: Msp,
    portal: RunningPortal,
    desks: Desks,
    capsys: pytest.CaptureFixture[str],
) -> None:
    begun, dice = time.monotonic(), random.Random(number)
    for desk in desks.values():
        desk.choose = lambda: dice.choice(FAULTS) if dice.random() < 0.01 else None
    found = soak(msp, portal, desks, ALERTS)
    with capsys.disabled():
        seconds = time.monotonic() - begun
        print(
            f"\nSoak of tickets {number} of {SOAKS} on {database_kind}: {seconds:.0f} s, "
            f"{dict(found)}"
        )
