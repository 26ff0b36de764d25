"""What other tests begin with instead of a test of the connection is what a good one leaves."""

from __future__ import annotations

from pathlib import Path

import pytest
import time_machine

from portal.clock import utc_now
from tests.runs.saved import save
from tests.stateful.tables import dump
from tests.support.msp import Msp

SEALED = {"secrets", "audit_entries"}
"""Differ each time: by what they are sealed with."""


@pytest.mark.parametrize("is_beta", [True, False])
def test_both_ways_to_connect_write_the_same(msp: Msp, is_beta: bool, tmp_path: Path) -> None:
    msp.tactical.control.server.set(beta_enabled=is_beta)
    saved, found = save(tmp_path), []
    with time_machine.travel(utc_now(), tick=False):
        for connect in (msp.connect, msp.connect_untested):
            saved.restore()
            connect(page_size=12)
            tables = dump(msp.id, looks=True)
            assert len(tables["secrets"]) == 1
            for row in tables["connection_tests"].values():
                assert row["ok"]
                row.pop("steps")
            found.append({name: rows for name, rows in tables.items() if name not in SEALED})
    assert found[0]["rmm_integrations"]
    assert found[0] == found[1]
