"""Computers that are re-installed, copied or given new boards, as the API then tells of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
import requests

from tactical_simulator import FleetSpec, RemoteControl, SimulatedTactical
from tests.simulator.api import Api


def listed(api: Api, agent_id: str) -> dict[str, Any]:
    [row] = [row for row in api.rows("/agents/") if row["agent_id"] == agent_id]
    return dict(row)


def windows_agent(tactical: SimulatedTactical) -> str:
    agents = tactical.control.truth.agents()
    found = (a for a in agents if a["plat"] == "windows" and a["status"] == "online")
    return str(next(agent["agent_id"] for agent in found if agent["serial_number"]))


def test_a_reinstalled_computer_has_two_agents(tactical: SimulatedTactical, api: Api) -> None:
    control = tactical.control
    old = windows_agent(tactical)
    before = listed(api, old)
    new = control.computers.reinstall(old, site=2)
    after = listed(api, new)
    assert (len(new), control.truth.agent(new)["pk"]) == (40, 61)
    alike = ("hostname", "serial_number", "make_model", "cpu_model", "physical_disks", "plat")
    assert {name: after[name] for name in alike} == {name: before[name] for name in alike}
    assert after["status"] == "online"
    assert control.truth.agent(new)["site_pk"] == 2
    assert control.software.get(new) == control.software.get(old)
    control.server.advance(300)
    assert (listed(api, old)["status"], listed(api, new)["status"]) == ("offline", "online")
    assert control.truth.computers()[new] == control.truth.computers()[old] == [old]


def test_its_old_agent_may_be_deleted_at_once(tactical: SimulatedTactical, api: Api) -> None:
    control = tactical.control
    old = windows_agent(tactical)
    new = control.computers.reinstall(old, keep=False, hostname="NEW-NAME")
    assert old not in control.agents.ids()
    assert listed(api, new)["hostname"] == "NEW-NAME"
    assert control.truth.computers()[new] == [old]


def test_hardware_and_software_arrive_later(tactical: SimulatedTactical, api: Api) -> None:
    control = tactical.control
    old = windows_agent(tactical)
    facts, software = listed(api, old), control.software.get(old)
    new = control.computers.reinstall(old, hardware=False)
    fresh = listed(api, new)
    assert (fresh["serial_number"], fresh["make_model"]) == ("", "unknown make/model")
    assert control.software.get(new) is None
    control.computers.report(new)
    assert listed(api, new)["serial_number"] == facts["serial_number"]
    assert control.software.get(new) == software
    with pytest.raises(ValueError, match="has told all"):
        control.computers.report(new)


def test_a_clone_lives_beside_the_first_one(tactical: SimulatedTactical, api: Api) -> None:
    control = tactical.control
    old = windows_agent(tactical)
    new = control.computers.clone(old, hostname="CLONE")
    control.server.advance(3600)
    rows = [listed(api, old), listed(api, new)]
    assert [row["status"] for row in rows] == ["online", "online"]
    assert rows[0]["serial_number"] == rows[1]["serial_number"]
    computers = control.truth.computers()
    assert (computers[old], computers[new]) == ([old], [new])


def test_an_imaged_disk_tells_of_two_computers_by_turns(
    tactical: SimulatedTactical, api: Api
) -> None:
    control = tactical.control
    agent = windows_agent(tactical)
    first = listed(api, agent)
    control.computers.image(agent, hostname="COPY", serial="COPY-1234")
    assert listed(api, agent)["hostname"] == first["hostname"]
    control.computers.swap(agent)
    second = listed(api, agent)
    assert (second["hostname"], second["serial_number"]) == ("COPY", "COPY-1234")
    control.computers.swap(agent)
    assert listed(api, agent)["serial_number"] == first["serial_number"]
    assert len(control.truth.computers()[agent]) == 2


def test_a_new_board(tactical: SimulatedTactical, api: Api) -> None:
    for agent in tactical.control.agents.ids()[:12]:
        tactical.control.computers.new_board(agent, f"BOARD-{agent[:4]}")
        assert listed(api, agent)["serial_number"] == f"BOARD-{agent[:4]}"
        assert tactical.control.truth.computers()[agent] == [agent]


def test_agents_of_a_fleet_that_stands_still_come_in_now() -> None:
    with SimulatedTactical(FleetSpec(agents=5, frozen=True)) as tactical:
        remote = RemoteControl(tactical.url)
        [old, *_] = remote.agents.ids()
        new = remote.computers.reinstall(agent_id=old)
        assert remote.truth.agent(agent_id=new)["status"] == "online"
        assert remote.truth.computers()[new] == [old]
        with pytest.raises(ValueError, match="There is no site 99"):
            remote.computers.clone(agent_id=old, site=99)
        with pytest.raises(ValueError, match="Only one computer"):
            remote.computers.swap(agent_id=old)


def test_the_date_of_an_answer_is_the_servers(tactical: SimulatedTactical) -> None:
    tactical.control.server.advance(3 * 86_400)
    date = requests.get(tactical.url, timeout=5).headers["Date"]
    assert parsedate_to_datetime(date) > datetime.now(UTC) + timedelta(days=2)
