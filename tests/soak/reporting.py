"""What a soak waits for, in words, when it gives up."""

from __future__ import annotations

import time
from collections import Counter

from sqlalchemy import Select, func, select

from portal.clock import utc_now
from portal.db import db
from portal.models import Alert, AlertHandling, Channel, Delivery, Message, SyncRun
from portal.models.channels.message import MessageStatus
from tests.soak.chaos import Chaos
from tests.support.running import RunningPortal
from tests.support.webhooks import Msp

MOST_SILENT_SECONDS = 120
"""Twice what the web server rests at the most before it is started again, and starts in."""
LINES = 400


class Intake:
    """What the portal answers to webhooks. It may be away for a while, but not for good."""

    def __init__(self, msp: Msp) -> None:
        self._msp = msp
        self._taken_at = time.monotonic()
        self.answers: Counter[str] = Counter()

    def note(self, pk: int, event: str) -> None:
        """How the alert's last webhook was answered. Fails when none has been taken in for long."""
        run = self._msp.tactical.control.alerts.runs(pk)[event]
        self.answers[str(run.retcode)] += 1
        if run.retcode == 202:
            self._taken_at = time.monotonic()
        silent = time.monotonic() - self._taken_at
        assert silent < MOST_SILENT_SECONDS, (
            f"No webhook was taken in for {silent:.0f} s. The last answer: {run.stdout}"
        )


def describe(msp: Msp, portal: RunningPortal, chaos: Chaos, intake: Intake) -> str:
    """What is where, and what each process is at. Ends the processes: nothing goes on after it."""
    rows = _describe_rows(msp)
    chaos.dump_stacks()
    return "\n".join(
        [
            f"Webhooks, by their answer: {dict(intake.answers)}",
            *rows,
            "The end of what the portal printed:",
            *portal.lines[-LINES:],
        ]
    )


def _describe_rows(msp: Msp) -> list[str]:
    alerts = select(Alert.status, func.count()).group_by(Alert.status)
    deliveries = select(Delivery.status, func.count()).group_by(Delivery.status)
    with msp.scope():
        waiting = Message.status == MessageStatus.WAITING
        return [
            f"It is {utc_now():%H:%M:%S} UTC.",
            f"Alerts: {_count(alerts)}",
            f"Deliveries: {_count(deliveries)}",
            f"Handlings that are due: {_list_due_handlings()}",
            "Messages that wait, by channel, reason and attempts: "
            + _count(
                select(Message.channel_id, Message.reason, Message.attempts, func.count())
                .where(waiting)
                .group_by(Message.channel_id, Message.reason, Message.attempts)
            ),
            *_list_channels(),
            *_list_runs(),
        ]


def _count(query: Select[*tuple[object, ...]]) -> str:
    rows = db.session.execute(query).all()
    return ", ".join(" ".join(map(str, row)) for row in rows) or "none"


def _list_due_handlings() -> str:
    due = select(AlertHandling.state, func.count(), func.min(AlertHandling.due_at))
    return _count(due.where(AlertHandling.due_at.is_not(None)).group_by(AlertHandling.state))


def _list_channels() -> list[str]:
    return [
        f"Channel {each.id}: due {each.due_at}, lease {each.lease}, failures {each.failures}, "
        f"{each.minute_sent} sent since {each.minute_at}, last error {each.last_error}"
        for each in db.session.scalars(select(Channel).order_by(Channel.id))
    ]


def _list_runs() -> list[str]:
    latest = select(SyncRun).order_by(SyncRun.id.desc()).limit(3)
    return [f"Run {each.id} ({each.kind}): {each.status}" for each in db.session.scalars(latest)]
