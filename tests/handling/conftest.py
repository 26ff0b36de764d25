"""A tenant with alerts, rules, windows, and a channel to a far side that answers as planned."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from flask.ctx import AppContext
from sqlalchemy import select

from portal import queue
from portal.clock import utc_now
from portal.db import db, transaction
from portal.models import (
    AlertHandling,
    AlertRule,
    Channel,
    MaintenanceWindow,
    Message,
    TimelineEntry,
)
from portal.models.alerts.alert import AlertSource
from portal.models.channels.message import MessageStatus
from portal.scope import all_tenants, tenant_scope
from portal.services.accounts.tenants import add_tenant
from portal.services.handling import deciding, sending
from portal.services.integrations.connect import ConnectionSettings, save_connection
from portal.services.integrations.current import get_integration
from portal.services.rules.terms import Conditions, Steps, to_json
from portal.sync.alerts.write import write_alerts
from portal.tactical.alerts import TacticalAlert
from portal.vault import store_secret
from tests.channels.far_side import FarSide, answering

START = datetime(2026, 3, 2, 12, tzinfo=UTC)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class Desk:
    far_side: FarSide
    tenant_id: int
    integration_id: int
    began: dict[int, datetime] = field(default_factory=dict)

    def raise_alerts(self, *pks: int, **values: Any) -> None:
        """As Tactical's list shows them, just begun unless `alert_time` says otherwise."""
        for pk in pks:
            self.began[pk] = values.get("alert_time", utc_now())
        self._write([self._alert(pk, **values) for pk in pks])

    def resolve(self, *pks: int, **values: Any) -> None:
        values = {"resolved": True, "resolved_on": utc_now()} | values
        self._write([self._alert(pk, **values) for pk in pks])

    def change(self, pk: int, **values: Any) -> None:
        """Tactical shows it otherwise from now on; without values as it was raised."""
        self._write([self._alert(pk, **values)])

    def _alert(self, pk: int, **values: Any) -> TacticalAlert:
        columns: dict[str, Any] = {
            "agent_id": f"agent-{pk}",
            "hostname": f"SRV-{pk}",
            "organization_name": "Contoso",
            "alert_type": "check",
            "severity": "error",
            "message": f"Disk {pk} is full",
            "alert_time": self.began[pk],
            "resolved": False,
            "resolved_on": None,
            "snoozed": False,
            "snooze_until": None,
            "check_pk": pk,
            "task_pk": None,
            "asked_at": utc_now(),
        }
        return TacticalAlert(pk=pk, **columns | values)

    def _write(self, alerts: list[TacticalAlert]) -> None:
        with transaction() as session:
            write_alerts(session, self.integration_id, alerts, AlertSource.WEBHOOK)

    def add_channel(self, name: str = "Ops", knows_keys: bool = False, most: int = 10) -> int:
        with transaction() as session:
            settings = {"method": "POST", "format": "json", "knows_keys": knows_keys}
            channel = Channel(kind="http", name=name, settings=settings, most_per_minute=most)
            session.add(channel)
            session.flush()
            store_secret(session, channel, "url", f"{self.far_side.url}/{name}")
        return channel.id

    def add_rule(
        self, conditions: Conditions | None = None, go_on: bool = False, **steps: Any
    ) -> int:
        with transaction() as session:
            count = len(session.scalars(select(AlertRule.id)).all())
            rule = AlertRule(
                name=f"Rule {count + 1}",
                position=count,
                go_on=go_on,
                conditions=to_json(conditions or Conditions()),
                steps=to_json(Steps(**steps)),
                switched_on_at=LONG_AGO,
            )
            session.add(rule)
        return rule.id

    def add_window(self, minutes: int = 60, **scope: Any) -> int:
        """From this minute on."""
        start = utc_now().replace(second=0, microsecond=0, tzinfo=None)
        with transaction() as session:
            window = MaintenanceWindow(
                name="Patches",
                zone="UTC",
                starts=start.isoformat(timespec="minutes"),
                minutes=minutes,
                scope=scope,
                created_by="anna@example.com",
            )
            session.add(window)
        return window.id

    def work(self) -> None:
        """What workers do once the scheduler has looked: decide, and send what is due."""
        deciding.handle_due()
        self.send()

    def send(self) -> None:
        with all_tenants():
            behind = sending.list_channels_behind()
        for _tenant, channel_id in behind:
            sending.send_messages(channel_id)

    def handling(self, at: int = 0) -> AlertHandling:
        query = select(AlertHandling).order_by(AlertHandling.id)
        found = db.session.scalars(query.execution_options(populate_existing=True)).all()[at]
        db.session.rollback()
        return found

    def messages(self, *statuses: MessageStatus) -> list[Message]:
        query = select(Message).order_by(Message.id).execution_options(populate_existing=True)
        if statuses:
            query = query.where(Message.status.in_(statuses))
        found = list(db.session.scalars(query))
        db.session.rollback()
        return found

    def said(self) -> list[tuple[str, str]]:
        """Reason and title of all that the far side heard, in order."""
        return [(call.json["reason"], call.json["title"]) for call in self.far_side.calls]

    def reasons(self) -> list[str]:
        return [reason for reason, _title in self.said()]

    def timeline(self) -> list[str]:
        texts = db.session.scalars(select(TimelineEntry.text).order_by(TimelineEntry.id))
        found = list(texts)
        db.session.rollback()
        return found


@pytest.fixture
def desk(app_context: AppContext, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setattr(queue, "enqueue", lambda *_job: True)
    tenant_id = add_tenant("Acme MSP", "acme").id
    with tenant_scope(tenant_id), answering() as far_side:
        save_connection(ConnectionSettings(base_url="https://rmm.example.com", api_key="key"))
        yield Desk(far_side, tenant_id, get_integration().id)


@pytest.fixture
def clock() -> Iterator[Any]:
    """Stands still until it is moved."""
    with time_machine.travel(START, tick=False) as clock:
        yield clock


@pytest.fixture
def ops(desk: Desk) -> int:
    """A channel that is told of every alert."""
    channel_id = desk.add_channel()
    desk.add_rule(notify=(channel_id,))
    return channel_id
