"""The same JSON, written in three ways."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests

from tactical_simulator import SimulatedTactical
from tactical_simulator.transport.spelling import Spelling

PATHS = [
    "/agents/",
    "/agents/?detail=false",
    "/beta/v1/agent/?page=2&page_size=3",
    "/beta/v1/client/",
    "/beta/v1/site/?page_size=2",
    "/clients/",
    "/core/version/",
    "/software/",
]


def get(tactical: SimulatedTactical, path: str, spelling: Spelling) -> bytes:
    tactical.control.server.set(spelling=str(spelling))
    answer = requests.get(tactical.url + path, headers={"X-API-KEY": tactical.api_key}, timeout=10)
    assert answer.status_code == 200
    assert int(answer.headers["Content-Length"]) == len(answer.content)
    return answer.content


def in_order(value: Any) -> Any:
    return json.dumps(value, sort_keys=True)


@pytest.mark.parametrize("path", PATHS)
def test_every_spelling_says_the_same(tactical: SimulatedTactical, path: str) -> None:
    tactical.control.server.set(live_pace=False)
    said = {spelling: get(tactical, path, spelling) for spelling in Spelling}
    assert len({in_order(json.loads(text)) for text in said.values()}) == 1
    if path != "/core/version/":
        assert len(set(said.values())) == 3
    assert tactical.control.server.crashes() == []


def test_how_each_is_spelt(tactical: SimulatedTactical) -> None:
    path = "/beta/v1/site/?page_size=1"
    begins = {spelling: get(tactical, path, spelling)[:16] for spelling in Spelling}
    assert begins == {
        Spelling.COMPACT: b'{"count":9,"next',
        Spelling.BLANKS: b'{"count": 9, "ne',
        Spelling.REORDERED: b'{\n  "results": [',
    }


def test_another_word_is_refused(tactical: SimulatedTactical) -> None:
    with pytest.raises(ValueError, match="tabs"):
        tactical.control.server.set(spelling="tabs")


def test_spoilt_rows_are_spelt_too(tactical: SimulatedTactical) -> None:
    tactical.control.faults.add("bad_rows", "/agents/", times=1)
    rows = json.loads(get(tactical, "/agents/", Spelling.REORDERED))
    assert rows[3] == "not an object"
