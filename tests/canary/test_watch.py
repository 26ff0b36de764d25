"""The watch itself: it sees a code wherever it stands, and no code where there is none."""

from __future__ import annotations

from datetime import datetime

import pytest

from tests.canary.watch import Watch

CODE = "481516"


@pytest.mark.parametrize(
    "said", [{"code": CODE}, f"The code {CODE} is wrong.", f"/sign-in?code={CODE}&x=1", f"…:{CODE}"]
)
def test_a_code_is_seen(said: object) -> None:
    watch = Watch()
    watch.add("code", CODE)
    watch.look("log", said)
    assert watch.find_told() == {("code", "log")}


@pytest.mark.parametrize(
    "said", [(datetime(2026, 1, 1, 10, 0, 0, 481516),), "2026-01-01 10:00:00.481516", "8" + CODE]
)
def test_the_microseconds_of_a_time_are_no_code(said: object) -> None:
    watch = Watch()
    watch.add("code", CODE)
    watch.look("table events", said)
    assert watch.find_told() == set()
