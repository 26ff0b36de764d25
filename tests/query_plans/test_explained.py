"""The look at plans sees what it is there to see."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Select, select
from sqlalchemy.orm import aliased

from portal.db import db
from portal.models import Alert, Asset, SyncRun
from portal.models.runs.sync_run import RunStatus
from portal.scope import all_tenants
from tests.query_plans.plans import asked

_OTHER = aliased(Asset)


@pytest.mark.parametrize(
    ("statement", "walked"),
    [
        (select(Asset.id).where(Asset.lan_ip == "192.0.2.1"), "assets"),
        (select(Alert.id).where(Alert.message == "x").order_by(Alert.id).limit(1), "rmm_alerts"),
        (select(_OTHER.id).join(Alert, Alert.hostname == _OTHER.name), "rmm_alerts"),
        (select(Asset.id).where(Asset.id == 7), ""),
        (select(SyncRun.id).where(SyncRun.status == RunStatus.QUEUED), ""),
    ],
)
def test_a_walk_is_told(app_context: None, statement: Select[Any], walked: str) -> None:
    with all_tenants(), asked() as found:
        db.session.execute(statement).all()
    assert any(walk.startswith(f"{walked}: ") for walk in found.walks()) is bool(walked)
