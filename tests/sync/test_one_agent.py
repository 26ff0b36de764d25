"""What a refresh of one agent asks of Tactical, and that it is as right as a sync of all."""

from __future__ import annotations

import pytest

from portal.db import db
from portal.models import Integration
from portal.models.integrations.integration import InventorySource
from portal.models.runs.sync_run import RunStatus, SyncKind
from portal.services.organizations import mapping
from tests.support.msp import Msp, counted

pytestmark = pytest.mark.mainly("postgresql")

CLIENTS, BETA = "/clients/", "/beta/v1/agent/"
SOURCES = [InventorySource.AUTO, InventorySource.BETA, InventorySource.DASHBOARD]


def refresh(msp: Msp, agent_id: str) -> list[str]:
    """The requests of one refresh, which must go well."""
    msp.tactical.control.log.clear()
    assert msp.sync_agent(agent_id).status is RunStatus.SUCCESS
    return [entry.path for entry in msp.tactical.control.log.entries()]


@pytest.mark.one_database
@pytest.mark.parametrize("source", SOURCES)
def test_an_agent_of_a_known_site_is_one_request(msp: Msp, source: InventorySource) -> None:
    msp.import_fleet(inventory_source=source)
    before = msp.assets()
    for agent_id in msp.agents[:3]:
        assert refresh(msp, agent_id) == [f"/agents/{agent_id}/"]
    after = msp.assets()
    for agent_id in msp.agents[:3]:
        # Not even what the answer lacks is lost; memory, which `agents/` lacks, is gained.
        kept = {name: value for name, value in before[agent_id].items() if value is not None}
        changed = {name for name, value in kept.items() if value != after[agent_id][name]}
        assert changed <= {"last_rmm_sync_at", "status_as_of", "uptime_seconds"}


@pytest.mark.one_database
@pytest.mark.parametrize("source", SOURCES)
def test_a_new_agent_of_a_known_site_is_two_small_requests(
    msp: Msp, source: InventorySource
) -> None:
    """Beta tells the serial number, which lets a sync of all find nothing to add."""
    msp.import_fleet(inventory_source=source)
    new = msp.tactical.control.agents.add(site=msp.truth(msp.agents[0])["site_pk"])
    asked = refresh(msp, new)
    is_beta = source is not InventorySource.DASHBOARD
    assert asked == [f"/agents/{new}/", *([BETA] if is_beta else [])]
    if is_beta:
        assert counted(msp.sync()) == {"seen": 25, "unchanged": 25}


@pytest.mark.one_database
def test_sites_that_are_not_known_are_read_once_for_a_burst(msp: Msp) -> None:
    msp.import_fleet()
    add_site = msp.tactical.control.places.add_site
    site = add_site(client=msp.truth(msp.agents[0])["client_pk"], name="Attic")
    news = [msp.tactical.control.agents.add(site=site) for _ in range(4)]
    asked = [path for new in news for path in refresh(msp, new)]
    assert asked.count(CLIENTS) == 1
    assert {msp.assets()[new]["site_name"] for new in news} == {"Attic"}


@pytest.mark.one_database
def test_a_client_that_is_not_known_is_read_once_for_a_burst(msp: Msp) -> None:
    msp.import_fleet()
    pk = msp.tactical.control.places.add_client(name="Brand New", site="First")
    site = msp.tactical.control.truth.clients()[-1]["sites"][0]["pk"]
    news = [msp.tactical.control.agents.add(site=site) for _ in range(3)]
    asked = [path for new in news for path in refresh(msp, new)]
    assert (asked.count(CLIENTS), asked.count(BETA)) == (1, 1)
    assert msp.organizations()[str(pk)]["client"] is None
    assert not set(news) & set(msp.assets())
    mapping.map_exact(create=True)
    for new in news:
        refresh(msp, new)
    assert {msp.assets()[new]["client"] for new in news} == {"Brand New"}


@pytest.mark.parametrize("source", SOURCES)
def test_a_moved_agent_moves_its_asset(msp: Msp, source: InventorySource) -> None:
    msp.import_fleet(inventory_source=source)
    agent = msp.agents[0]
    other = msp.sites_of_others(agent)[0]
    msp.tactical.control.agents.move(agent_id=agent, site=other["site_pk"])
    assert refresh(msp, agent) == [f"/agents/{agent}/"]
    row = msp.assets()[agent]
    assert (row["client"], row["site_id"]) == (other["client"], str(other["site_pk"]))
    assert msp.sync().counts["moved"] == 0


@pytest.mark.one_database
def test_names_that_were_exchanged_move_no_asset(msp: Msp) -> None:
    """Until a sync has learnt the new names, a name alone says nothing."""
    msp.import_fleet()
    first = msp.truth(msp.agents[0])
    second = msp.sites_of_others(msp.agents[0])[0]
    rename = msp.tactical.control.places.rename_client
    rename(pk=first["client_pk"], name="for a moment")
    rename(pk=second["client_pk"], name=first["client"])
    rename(pk=first["client_pk"], name=second["client"])
    assert CLIENTS in refresh(msp, msp.agents[0])
    assert msp.assets()[msp.agents[0]]["client"] == first["client"]
    names = {key: row["external_organization_name"] for key, row in msp.organizations().items()}
    assert names[str(first["client_pk"])] == second["client"]


@pytest.mark.one_database
def test_a_key_that_was_limited_is_shown_no_more_and_takes_nothing_for_gone(msp: Msp) -> None:
    msp.import_fleet()
    agent = msp.truth(msp.agents[0])
    hidden = msp.sites_of_others(agent["agent_id"])[0]
    key = msp.tactical.control.access.add_key(clients=[agent["client_pk"]])
    assert msp.connect(api_key=key).ok
    add_site = msp.tactical.control.places.add_site
    new = msp.tactical.control.agents.add(site=add_site(client=agent["client_pk"], name="Attic"))
    assert refresh(msp, new) == [f"/agents/{new}/", CLIENTS]
    msp.tactical.control.log.clear()
    run = msp.sync_agent(hidden["agent_id"])
    assert (run.status, run.fault) == (RunStatus.FAILED, "missing_permission")
    asked = [entry.path for entry in msp.tactical.control.log.entries()]
    assert asked == [f"/agents/{hidden['agent_id']}/"]
    assert not any(row["gone_since"] for row in msp.organizations().values())
    assert db.session.scalars(db.select(Integration.key_restricted)).one() is True
    assert SyncKind.AGENT is run.kind
