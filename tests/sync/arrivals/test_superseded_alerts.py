"""What Tactical alerts about an agent whose computer has another one by now."""

from __future__ import annotations

import pytest

from portal.db import transaction
from portal.models import Alert, AlertHandling, Event
from portal.models.alerts.alert import AlertStatus
from portal.models.alerts.handling import HandlingState
from portal.models.events.event import EventType
from portal.models.runs.sync_run import SyncKind
from portal.sync.alerts.hints import write_hint
from portal.sync.alerts.news import SUPERSEDED
from portal.tactical.webhook import TRIGGER, Hint
from tests.support.msp import Msp
from tests.sync.test_reinstalled import all_of, asset_of, pick, reinstall

pytestmark = [pytest.mark.fleet(agents=12), pytest.mark.one_database]


def triggered() -> list[str]:
    """The messages of alerts of which others were told."""
    return [str(each.payload["message"]) for each in all_of(Event, type=EventType.ALERT_TRIGGERED)]


def test_that_the_old_agent_is_overdue_is_kept_and_opens_nothing(msp: Msp) -> None:
    msp.import_fleet()
    old = pick(msp)
    msp.sync()
    new = reinstall(msp, old)
    assert msp.sync().relinked == 1
    alerts = msp.tactical.control.alerts
    pk = alerts.add(agent_id=old, alert_type="availability", message="Old is overdue")
    alerts.add(agent_id=old, alert_type="check", message="A check of the old one")
    alerts.add(agent_id=new, alert_type="availability", message="New is overdue")
    msp.sync(SyncKind.ALERTS)
    assert sorted(triggered()) == ["A check of the old one", "New is overdue"]
    [kept] = all_of(Alert, external_alert_id=str(pk))
    assert (kept.asset_id, kept.status) == (asset_of(new).id, AlertStatus.ACTIVE)
    silent = all_of(AlertHandling, state=HandlingState.SILENT)
    assert [(each.alert_id, each.reason) for each in silent] == [(kept.id, SUPERSEDED)]
    assert len(all_of(AlertHandling, state=HandlingState.UNDECIDED)) == 2


def test_nor_does_a_webhook_of_it_while_tactical_is_away(msp: Msp) -> None:
    msp.import_fleet()
    old = pick(msp)
    msp.sync()
    new = reinstall(msp, old)
    msp.sync()
    integration_id = asset_of(new).integration_id
    for agent_id in (old, new):
        with transaction() as session:
            hint = Hint(
                event=TRIGGER,
                agent_id=agent_id,
                alert_type="availability",
                message=f"Overdue: {agent_id}",
            )
            write_hint(session, integration_id, hint)
    assert triggered() == [f"Overdue: {new}"]
    assert {each.asset_id for each in all_of(Alert)} == {asset_of(new).id}
