"""The query quirks of the beta API, as tabled from a live server."""

from __future__ import annotations

from typing import Any

import pytest

from tactical_simulator import FleetSpec, SimulatedTactical
from tests.simulator.api import Api, is_html

AGENT = "/beta/v1/agent/"
INVALID_CHOICE = "Select a valid choice. That choice is not one of the available choices."


def count(api: Api, query: str) -> int:
    return int(api.rows(f"{AGENT}?{query}")["count"])


@pytest.mark.parametrize(
    "query",
    [
        "client=1", "site_id=1", "status=online", "limit=5", "modified_time__gt=2026-01-01",
        "client_id=0", "client_id=", "ordering=hostname", "page_size=5000", "page_size=0",
        "page_size=abc",
    ],
)  # fmt: skip
def test_ignored(api: Api, query: str) -> None:
    assert count(api, query) == 60


@pytest.mark.parametrize(
    ("query", "body"),
    [
        ("client_id=abc", {"client_id": ["Enter a number."]}),
        ("site=999", {"site": [INVALID_CHOICE]}),
        ("site=abc", {"site": [INVALID_CHOICE]}),
        ("policy=1", {"policy": [INVALID_CHOICE]}),
        ("alert_template=1", {"alert_template": [INVALID_CHOICE]}),
        (
            "plat=amiga",
            {"plat": ["Select a valid choice. amiga is not one of the available choices."]},
        ),
        (
            "last_seen_range_after=junk",
            {"last_seen_range": ["Enter a valid date/time."]},
        ),
    ],
)
def test_refused(api: Api, query: str, body: dict[str, Any]) -> None:
    response = api.get(f"{AGENT}?{query}")
    assert (response.status_code, response.json()) == (400, body)


@pytest.mark.parametrize(
    "query", ["agent_id=x", "agent_id=", "total_ram_range_min=1&total_ram_range_max=9"]
)
def test_crashes(api: Api, query: str) -> None:
    assert is_html(api.get(f"{AGENT}?{query}"), "Server Error (500)")


def test_filters_that_work(tactical: SimulatedTactical, api: Api) -> None:
    truth = tactical.control.truth.agents()
    sample = truth[7]
    for query, test in (
        (f"id={sample['pk']}", lambda a: a["pk"] == sample["pk"]),
        (f"hostname={sample['hostname']}", lambda a: a["hostname"] == sample["hostname"]),
        (f"hostname={sample['hostname'].swapcase()}", lambda _: False),
        ("client_id=2", lambda a: a["client_pk"] == 2),
        ("client_id=9999", lambda _: False),
        ("site=3", lambda a: a["site_pk"] == 3),
        ("plat=linux", lambda a: a["plat"] == "linux"),
        ("monitoring_type=server", lambda a: a["monitoring_type"] == "server"),
        ("needs_reboot=true", lambda a: a["needs_reboot"]),
        ("needs_reboot=false", lambda a: not a["needs_reboot"]),
        ("total_ram_range_min=64", lambda a: a["total_ram"] >= 64),
        ("site=3&plat=linux", lambda a: a["site_pk"] == 3 and a["plat"] == "linux"),
    ):
        assert count(api, query) == len([a for a in truth if test(a)]), query


def test_last_seen_range_drops_the_never_seen(tactical: SimulatedTactical, api: Api) -> None:
    first, second, third = tactical.control.agents.ids()[:3]
    tactical.control.agents.edit(first, last_seen="2020-01-01T00:00:00Z")
    tactical.control.agents.edit(second, last_seen="2020-01-01T00:01:00+00:00")
    tactical.control.agents.edit(third, last_seen=None)
    assert count(api, "last_seen_range_before=2020-01-01T00:00:30Z") == 1
    assert count(api, "last_seen_range_after=2020-01-01T00:00:30Z&id=2") == 1
    assert count(api, "last_seen_range_after=1990-01-01T00:00:00Z&id=3") == 0


def test_search_reads_host_names_and_services_only(tactical: SimulatedTactical, api: Api) -> None:
    truth = tactical.control.truth.agents()
    windows = [agent for agent in truth if agent["plat"] == "windows"]
    assert count(api, "search=Print%20Spooler") == len(windows)
    assert count(api, f"search={truth[0]['hostname']}") >= 1
    assert count(api, "search=203.0.113.") == 0


@pytest.mark.parametrize("page", ["99", "0", "abc", "-1"])
def test_page_that_is_not_there(api: Api, page: str) -> None:
    response = api.get(f"{AGENT}?page={page}")
    assert (response.status_code, response.json()) == (404, {"detail": "Invalid page."})


def test_pages(api: Api) -> None:
    first = api.rows(f"{AGENT}?page_size=25")
    middle = api.rows(f"{AGENT}?page_size=25&page=2")
    last = api.rows(f"{AGENT}?page_size=25&page=last")
    assert list(first) == ["count", "next", "previous", "results"]
    assert first["next"] == f"{api.url}{AGENT}?page=2&page_size=25"
    assert (first["previous"], last["next"]) == (None, None)
    assert middle["previous"] == f"{api.url}{AGENT}?page_size=25"
    ids = [row["id"] for page in (first, middle, last) for row in page["results"]]
    assert ids == list(range(1, 61))
    assert [row["id"] for row in api.rows(f"{AGENT}?page_size=2&ordering=-id")["results"]] == [
        60,
        59,
    ]


def test_page_size_is_cut_at_a_thousand() -> None:
    fleet = FleetSpec(agents=1100, windows=0)
    with SimulatedTactical(fleet) as tactical, Api(tactical.url, tactical.api_key) as api:
        assert len(api.rows(AGENT)["results"]) == 100
        page = api.rows(f"{AGENT}?page_size=1001")
    assert (page["count"], len(page["results"])) == (1100, 1000)


def test_row_removed_in_mid_walk_shifts_the_rest(tactical: SimulatedTactical, api: Api) -> None:
    ids = tactical.control.agents.ids()
    tactical.control.faults.add("remove_agent", AGENT, agent_id=ids[0])
    first = api.rows(f"{AGENT}?page_size=30")
    second = api.rows(f"{AGENT}?page_size=30&page=2")
    seen = [row["agent_id"] for page in (first, second) for row in page["results"]]
    assert (first["count"], second["count"]) == (60, 59)
    assert set(ids) - set(seen) == {ids[30]}


def test_detail_goes_by_pk_only(tactical: SimulatedTactical, api: Api) -> None:
    row = api.rows(f"{AGENT}1/")
    listed = api.rows(f"{AGENT}?id=1")["results"][0]
    absent = {"id", "created_by", "created_time", "modified_by", "modified_time"}
    absent |= {"default_shell", "default_shell_custom"}
    extra = {
        "status", "hex_mesh_node_id", "checks", "pending_actions_count", "cpu_model", "graphics",
        "local_ips", "make_model", "physical_disks", "serial_number",
    }  # fmt: skip
    assert set(listed) - set(row) == absent
    assert set(row) - set(listed) == extra
    assert row["agent_id"] == tactical.control.agents.ids()[0]
    for text in (row["agent_id"], "abc"):
        response = api.get(f"{AGENT}{text}/")
        assert (response.status_code, response.json()) == (404, {"detail": "Not found."})
    assert api.get(f"{AGENT}9999/").json() == {"detail": "No Agent matches the given query."}


def test_clients_are_never_paged(api: Api) -> None:
    clients = api.rows("/beta/v1/client/?page=7&page_size=1")
    assert [client["name"] for client in clients] == sorted(c["name"] for c in clients)
    assert len(clients) == 4
    assert api.get("/beta/v1/client/abc/").json() == {"detail": "Not found."}
    response = api.get("/beta/v1/client/999999/")
    assert response.json() == {"detail": "No Client matches the given query."}


def test_sites(api: Api) -> None:
    sites = api.rows("/beta/v1/site/?client=1")
    assert (sites["count"], len(sites["results"])) == (9, 9)
    assert api.rows("/beta/v1/site/?search=hq")["count"] == 4
    assert api.rows("/beta/v1/site/?ordering=-id&page_size=1")["results"][0]["id"] == 9
