"""The simulator as a process of its own, with TLS, and the hosts that are not Tactical."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from http.client import HTTPConnection
from pathlib import Path

import pytest
import requests

from tactical_simulator import FleetSpec, OtherHost, RemoteControl, SimulatedTactical
from tactical_simulator.__main__ import KEY_VARIABLE
from tactical_simulator.simulated import Tls
from tests.simulator.api import Api, is_html

pytestmark = pytest.mark.servers


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_process(number: int) -> None:
    options = ["--agents", "30", "--seed", "5", "--no-beta"]
    command = [sys.executable, "-m", "tactical_simulator", *options]
    environ = {**os.environ, KEY_VARIABLE: "the-key"}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, env=environ, text=True)
    with process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        assert "api_key" not in ready
        with Api(ready["url"], "the-key") as api:
            assert len(api.rows("/agents/?detail=false")) == 30
            assert api.get("/beta/v1/agent/").status_code == 404
        assert len(RemoteControl(ready["url"]).truth.agents()) == 30
        started = time.monotonic()
        process.send_signal(number)
        assert process.wait(timeout=10) == 0
        assert time.monotonic() - started < 5


def test_busy_port_is_told_in_one_line() -> None:
    with SimulatedTactical(FleetSpec(agents=1)) as tactical:
        command = [sys.executable, "-m", "tactical_simulator", "--port", str(tactical.port)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=20)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "does not start" in done.stderr


def test_generated_key_is_printed() -> None:
    command = [sys.executable, "-m", "tactical_simulator", "--agents", "1"]
    environ = {name: value for name, value in os.environ.items() if name != KEY_VARIABLE}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, env=environ, text=True)
    with process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        with Api(ready["url"], ready["api_key"]) as api:
            assert len(api.rows("/agents/")) == 1
        process.terminate()


@pytest.mark.parametrize("tls", ["self-signed", "expired", "other-host"])
def test_tls(tls: Tls, tmp_path: Path) -> None:
    with SimulatedTactical(FleetSpec(agents=1), tls=tls) as tactical:
        assert tactical.url.startswith("https://")
        with Api(tactical.url, tactical.api_key) as api:
            with pytest.raises(requests.exceptions.SSLError):
                api.get("/")
            trusted = tmp_path / "ca.pem"
            trusted.write_bytes(tactical.certificate)
            if tls == "self-signed":
                assert api.get("/clients/", verify=str(trusted)).status_code == 200
            else:
                with pytest.raises(requests.exceptions.SSLError):
                    api.get("/", verify=str(trusted))


def test_other_hosts() -> None:
    with OtherHost("dashboard") as host, Api(host.url) as api:
        assert is_html(api.get("/clients/"), "Tactical RMM")
        assert is_html(api.get("/"), "Tactical RMM")
        assert host.requests == 2
    with OtherHost("redirecting", "https://sso.example/") as host, Api(host.url) as api:
        response = api.get("/")
        assert (response.status_code, response.headers["Location"]) == (
            302,
            "https://sso.example/",
        )
    with OtherHost("json") as host, Api(host.url) as api:
        assert "name" in api.get("/").json()
    with OtherHost("html404") as host, Api(host.url) as api:
        assert api.get("/").status_code == 404


def test_connections_are_kept(tactical: SimulatedTactical) -> None:
    connection = HTTPConnection("127.0.0.1", tactical.port)
    connection.connect()
    first = connection.sock
    for _ in range(3):
        connection.request("GET", "/", headers={"Content-Length": "0"})
        assert connection.getresponse().read() == b'{"status":"ok"}'
    assert connection.sock is first
    connection.close()


def test_stop_does_not_wait_for_slow_answers() -> None:
    tactical = SimulatedTactical(FleetSpec(agents=1))
    tactical.control.faults.add("slow", "/clients/", seconds=60)
    with Api(tactical.url, tactical.api_key) as api, pytest.raises(requests.ReadTimeout):
        api.get("/clients/", timeout=0.05)
    started = time.monotonic()
    tactical.stop()
    assert time.monotonic() - started < 5
