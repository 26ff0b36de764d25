"""Lists are written many at once: nothing is asked of the database per row or per agent."""

from __future__ import annotations

from typing import Any

import pytest

from portal.sync.software import ingest as engine
from tests.support.msp import Msp
from tests.support.statements import asked, counting
from tests.sync.software import ingest, reporting

pytestmark = pytest.mark.mainly("postgresql")

MOST_A_BATCH = 16
MOST_A_RUN = 30


@pytest.mark.fleet(agents=60, titles=40, windows=100, linux=0)
@pytest.mark.parametrize("change", ["create", "nothing", "everything"])
def test_statements_do_not_grow_with_rows(
    msp: Msp, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "AGENTS_AT_ONCE", 20)
    msp.import_fleet()
    if change != "create":
        ingest(msp)
    if change == "everything":
        for number, agent_id in enumerate(reporting(msp)):
            entries: list[Any] = msp.tactical.control.software.get(agent_id) or []
            kept = [e | {"install_date": f"2001-01-{1 + number % 28:02d}"} for e in entries[::2]]
            new = [{"name": f"New {number} {n}", "version": "1"} for n in range(20)]
            msp.tactical.control.software.set(agent_id, kept + new)
    with counting() as statements:
        run = ingest(msp)
    assert run.error is None
    assert len(asked(statements)) <= 3 * MOST_A_BATCH + MOST_A_RUN, "\n".join(statements)
