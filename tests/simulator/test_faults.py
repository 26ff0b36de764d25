"""Each fault, as a caller meets it."""

from __future__ import annotations

import gzip
import time
from typing import Any

import msgspec
import pytest
import requests

from tactical_simulator import SimulatedTactical
from tests.simulator.api import Api, is_html

PATH = "/clients/"


def test_drop(tactical: SimulatedTactical, api: Api) -> None:
    tactical.control.faults.add("drop", PATH)
    with pytest.raises(requests.ConnectionError, match="RemoteDisconnected"):
        api.get(PATH)
    assert api.get(PATH).status_code == 200


def test_reset_in_mid_body(tactical: SimulatedTactical, api: Api) -> None:
    tactical.control.faults.add("reset", "/software/")
    with pytest.raises(requests.RequestException, match=r"reset by peer|Broken"):
        api.get("/software/")


def test_truncated(tactical: SimulatedTactical, api: Api) -> None:
    tactical.control.faults.add("truncated", PATH, size=40)
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
        api.get(PATH)


def test_cut_json_has_a_right_length(tactical: SimulatedTactical, api: Api) -> None:
    tactical.control.faults.add("cut_json", PATH)
    response = api.get(PATH)
    assert response.status_code == 200
    assert int(response.headers["Content-Length"]) == len(response.content)
    with pytest.raises(msgspec.DecodeError):
        msgspec.json.decode(response.content)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_error_pages(tactical: SimulatedTactical, api: Api, status: int) -> None:
    tactical.control.faults.add("status", PATH, status=status)
    response = api.get(PATH)
    assert response.status_code == status
    assert response.headers["Content-Type"].startswith("text/html")


def test_429(tactical: SimulatedTactical, api: Api) -> None:
    tactical.control.faults.add("status", PATH, status=429, retry_after=7)
    response = api.get(PATH)
    assert (response.status_code, response.headers["Retry-After"]) == (429, "7")
    assert response.json()["detail"].endswith("in 7 seconds.")


def test_other_answers(tactical: SimulatedTactical, api: Api) -> None:
    faults = tactical.control.faults
    faults.add("html", PATH)
    assert is_html(api.get(PATH), "Tactical RMM")
    faults.add("empty", PATH)
    response = api.get(PATH)
    assert (response.status_code, response.content) == (200, b"")
    faults.add("json", PATH, body={"detail": "x"}, status=403)
    response = api.get(PATH)
    assert (response.status_code, response.json()) == (403, {"detail": "x"})
    faults.add("redirect", PATH, location="https://x.example/", status=307)
    response = api.get(PATH)
    assert (response.status_code, response.headers["Location"]) == (307, "https://x.example/")


def test_gzip_bomb(tactical: SimulatedTactical, api: Api) -> None:
    tactical.control.faults.add("gzip_bomb", PATH, size=64 * 1024 * 1024)
    response = api.get(PATH, stream=True)
    assert response.headers["Content-Encoding"] == "gzip"
    packed = response.raw.read(decode_content=False)
    assert len(packed) < 100_000
    assert len(gzip.decompress(packed)) == 64 * 1024 * 1024


def test_slow_and_drip(tactical: SimulatedTactical, api: Api) -> None:
    tactical.control.faults.add("slow", PATH, seconds=30)
    with pytest.raises(requests.ReadTimeout):
        api.get(PATH, timeout=0.05)
    tactical.control.faults.add("drip", PATH, seconds=0.01, size=200)
    started = time.monotonic()
    assert len(api.rows(PATH)) == 4
    assert time.monotonic() - started > 0.05


def test_bad_rows(tactical: SimulatedTactical, api: Api) -> None:
    tactical.control.faults.add("bad_rows", "/beta/v1/agent/")
    rows = api.rows("/beta/v1/agent/")["results"]
    assert len(rows) == 60
    assert rows[0]["agent_id"] is None
    assert "agent_id" not in rows[1]
    assert rows[2]["agent_id"] == 17
    assert rows[3] == "not an object"
    assert rows[4]["id"] == 5
    tactical.control.faults.add("bad_rows", "/agents/", rows=[{"at": 2, "set": {"status": 5}}])
    assert api.rows("/agents/")[2]["status"] == 5


def test_fewer_rows(tactical: SimulatedTactical, api: Api) -> None:
    tactical.control.faults.add("fewer_rows", "/beta/v1/agent/", size=7)
    answer = api.rows("/beta/v1/agent/")
    assert (answer["count"], len(answer["results"])) == (60, 53)
    tactical.control.faults.add("fewer_rows", "/agents/", size=60)
    assert api.rows("/agents/") == []
    assert len(api.rows("/agents/")) == 60


def test_when_faults_strike(tactical: SimulatedTactical, api: Api) -> None:
    faults = tactical.control.faults
    faults.add("status", "/beta/v1/agent/", status=500, after=1, times=2, query="page_size=10")
    statuses = [api.get("/beta/v1/agent/?page_size=10").status_code for _ in range(4)]
    assert statuses == [200, 500, 500, 200]
    assert api.get("/beta/v1/agent/?page_size=20").status_code == 200
    [fault] = faults.list()
    assert (fault.seen, fault.struck) == (4, 2)
    faults.clear()
    faults.add("status", "/beta/*", method="GET", status=503, times=None)
    for path in ("/beta/v1/agent/", "/beta/v1/site/"):
        assert api.get(path).status_code == 503
    assert api.get(PATH).status_code == 200


@pytest.mark.parametrize(
    "fault", [{"kind": "nonsense"}, {"kind": "slow", "nope": 1}, {"kind": "slow", "times": "x"}]
)
def test_wrong_faults_are_refused(tactical: SimulatedTactical, fault: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        tactical.control.faults.add(**fault)
