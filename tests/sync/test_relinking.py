"""An asset goes over to another agent, with all that it has."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from portal.clock import utc_now
from portal.db import db, transaction
from portal.models import (
    AgentRefresh,
    Alert,
    Asset,
    AssetChange,
    ExternalEntityMapping,
    SupersededAgent,
)
from portal.models.assets.change import ChangeAction
from portal.models.runs.sync_run import SyncKind
from portal.services.deliveries.agent_refreshes import schedule_refreshes
from portal.services.integrations.current import get_integration
from portal.sync.devices.relinking import relink
from portal.sync.runs.cause import Cause
from tests.support.msp import Msp


@pytest.mark.fleet(agents=6)
def test_both_agents_lead_to_the_asset(msp: Msp) -> None:
    msp.import_fleet()
    integration_id = get_integration().id
    old = msp.agents[0]
    msp.tactical.control.alerts.add(agent_id=old, message="Before")
    msp.sync(SyncKind.ALERTS)
    new = msp.tactical.control.computers.reinstall(old)
    msp.tactical.control.alerts.add(agent_id=new, message="Of the new agent")
    msp.tactical.control.alerts.add(agent_id=old, message="Late")
    with transaction() as session:
        asset_id = session.scalar(select(Asset.id).filter_by(rmm_device_id=old))
        assert asset_id is not None
        relink(session, integration_id, {asset_id: new}, Cause("command", 7), utc_now())
    msp.sync(SyncKind.ALERTS)
    asset = db.session.get_one(Asset, asset_id, populate_existing=True)
    assert asset.rmm_device_id == new
    mapping = db.session.scalars(select(ExternalEntityMapping).filter_by(asset_id=asset_id)).one()
    assert (mapping.external_entity_id, mapping.external_pk) == (new, None)
    superseded = db.session.scalars(select(SupersededAgent)).one()
    assert (superseded.agent_id, superseded.asset_id, superseded.run_id) == (old, asset_id, 7)
    change = db.session.scalars(select(AssetChange).filter_by(asset_id=asset_id, run_id=7)).one()
    assert change.action is ChangeAction.RELINKED
    assert (change.column, change.before, change.after) == ("rmm_device_id", old, new)
    alerts = db.session.scalars(select(Alert).where(Alert.agent_id.in_([old, new]))).all()
    assert {alert.message for alert in alerts} >= {"Before", "Of the new agent", "Late"}
    assert {alert.asset_id for alert in alerts} == {asset_id}
    with transaction() as session:
        schedule_refreshes(session, integration_id, [old, new])
    assert db.session.scalars(select(AgentRefresh.agent_id)).all() == [new]
