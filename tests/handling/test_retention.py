from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from portal.services.handling.retention import prune_told
from tests.handling.conftest import Desk

pytestmark = pytest.mark.one_database


def test_what_was_told_of_alerts_goes_90_days_after_their_end(
    desk: Desk, ops: int, clock: Any
) -> None:
    desk.raise_alerts(1, 2)
    desk.work()
    desk.resolve(1)
    desk.work()
    clock.shift(timedelta(days=89))
    assert prune_told() == 0
    clock.shift(timedelta(days=2))
    lasting, over = desk.handling(1), desk.handling(0)
    assert prune_told() > 0
    assert {message.handling_id for message in desk.messages()} == {lasting.id}
    assert over.id == desk.handling(0).id
    desk.resolve(2)
    desk.work()
    assert desk.reasons()[-1] == "resolved"
