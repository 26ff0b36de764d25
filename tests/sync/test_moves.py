"""Agents that move, organizations that are mapped elsewhere, and what is kept meanwhile."""

from __future__ import annotations

import pytest

from portal.db import db, transaction
from portal.models import Asset
from portal.models.runs.sync_run import RunStatus, SyncKind
from portal.services import clients
from portal.services.assets import edits
from portal.services.assets.edits import AssetEdit
from portal.services.organizations import many
from portal.services.organizations import mapping as organization_mapping
from tests.support.msp import Msp, Row, counted

pytestmark = pytest.mark.mainly("postgresql")


def place(row: Row) -> tuple[str, ...]:
    return row["client"], row["rmm_organization_id"], row["site_id"], row["site_name"]


def true_place(agent: Row) -> tuple[str, ...]:
    return agent["client"], str(agent["client_pk"]), str(agent["site_pk"]), agent["site"]


def test_a_moved_agent_moves_its_asset(msp: Msp) -> None:
    msp.import_fleet()
    agent = msp.agents[0]
    other = msp.sites_of_others(agent)[0]
    msp.tactical.control.agents.move(agent_id=agent, site=other["site_pk"])
    run = msp.sync()
    assert counted(run) == {"seen": 24, "moved": 1, "unchanged": 23}
    assert place(msp.assets()[agent]) == true_place(other)
    [entry] = msp.log(run, "moved")
    assert entry.changes is not None
    assert entry.changes["rmm_organization_id"][1] == str(other["client_pk"])
    assert len(msp.assets()) == 24
    assert counted(msp.sync()) == {"seen": 24, "unchanged": 24}


@pytest.mark.one_database
def test_an_agent_moved_to_another_site_of_its_client_is_updated(msp: Msp) -> None:
    msp.import_fleet()
    agent = msp.agents[0]
    site = msp.tactical.control.places.add_site(client=msp.truth(agent)["client_pk"], name="Attic")
    msp.tactical.control.agents.move(agent_id=agent, site=site)
    assert counted(msp.sync()) == {"seen": 24, "updated": 1, "unchanged": 23}
    assert msp.assets()[agent]["site_name"] == "Attic"


@pytest.mark.one_database
def test_an_agent_moved_to_an_unmapped_organization_keeps_its_client(msp: Msp) -> None:
    msp.import_fleet()
    agent = msp.agents[0]
    before = msp.assets()[agent]
    other = msp.sites_of_others(agent)[0]
    many.unmap_many([msp.mapping_id(other["client_pk"])])
    msp.tactical.control.agents.edit(agent_id=agent, site=other["site_pk"], hostname="NEW")
    run = msp.sync()
    assert run.counts["moved"] == 1
    assert run.status is RunStatus.SUCCESS
    after = msp.assets()[agent]
    assert place(after) == (before["client"], *true_place(other)[1:])
    assert after["name"] == before["name"]
    assert after["last_rmm_sync_at"] == before["last_rmm_sync_at"]
    [entry] = msp.log(run, "moved")
    assert "not mapped" in str(entry.reason)
    again = msp.sync()
    assert (again.counts["moved"], again.counts["updated"]) == (0, 0)
    # Mapped after all, the asset follows at once, and its facts with the next sync.
    client = clients.add_client("Fabrikam")
    change = organization_mapping.map_to_client(msp.mapping_id(other["client_pk"]), client.id)
    assert change.moved_assets > 0
    assert msp.assets()[agent]["client"] == "Fabrikam"
    assert msp.sync().counts["updated"] == 1
    assert msp.assets()[agent]["name"] == "NEW"


@pytest.mark.one_database
def test_an_agent_moved_to_a_client_made_after_the_listing_is_kept(msp: Msp) -> None:
    msp.import_fleet()
    agent = msp.agents[0]
    before = msp.assets()[agent]
    new = msp.tactical.control.places.add_client(name="Brand New", site="First")
    site = msp.tactical.control.truth.clients()[-1]["sites"][0]["pk"]
    msp.tactical.control.agents.move(agent_id=agent, site=site)
    run = msp.sync()
    assert run.counts["moved"] == 1
    after = msp.assets()[agent]
    assert place(after) == (before["client"], str(new), str(site), "First")
    assert msp.organizations()[str(new)]["client"] is None


@pytest.mark.parametrize("what", ["unmapped", "auto-sync off"])
@pytest.mark.one_database
def test_an_organization_that_does_not_sync_keeps_its_assets_as_they_are(
    msp: Msp, what: str
) -> None:
    msp.import_fleet()
    agent = msp.agents[0]
    pk = msp.truth(agent)["client_pk"]
    if what == "unmapped":
        many.unmap_many([msp.mapping_id(pk)])
    else:
        organization_mapping.set_auto_sync(msp.mapping_id(pk), False)
    before = msp.assets()
    msp.tactical.control.agents.edit(agent_id=agent, hostname="NEW")
    added = msp.tactical.control.agents.add(site=msp.truth(agent)["site_pk"])
    run = msp.sync()
    inside = msp.tactical.control.truth.clients()[0]["agents"]
    inside = sum(a["client_pk"] == pk for a in msp.tactical.control.truth.agents())
    assert counted(run) == {"seen": 25, "skipped": inside, "unchanged": 25 - inside}
    after = msp.assets()
    assert after[agent] == before[agent] | {"uptime_seconds": after[agent]["uptime_seconds"]}
    assert added not in after
    assert len(after) == 24


def test_names_of_sites_and_clients_follow_tactical(msp: Msp) -> None:
    msp.import_fleet()
    agent = msp.truth(msp.agents[0])
    msp.tactical.control.places.rename_site(pk=agent["site_pk"], name="Renamed Site")
    msp.tactical.control.places.rename_client(pk=agent["client_pk"], name="Renamed Client")
    msp.sync()
    row = msp.assets()[agent["agent_id"]]
    assert row["site_name"] == "Renamed Site"
    assert row["client"] == agent["client"]  # ours keeps its name
    organization = msp.organizations()[str(agent["client_pk"])]
    assert organization["external_organization_name"] == "Renamed Client"


# --- What an admin edited by hand -------------------------------------------------------


def edit(msp: Msp, agent_id: str, **fields: object) -> int:
    asset = db.session.scalars(db.select(Asset).filter_by(rmm_device_id=agent_id)).one()
    known = {
        "name": asset.name,
        "description": asset.description or "",
        "asset_type": asset.asset_type,
        "client_id": asset.client_id,
    }
    asset_id: int = asset.id
    edits.edit_asset(asset_id, AssetEdit(**known | fields))
    return asset_id


def test_an_edited_field_stays_until_it_is_released(msp: Msp) -> None:
    msp.import_fleet()
    agent = msp.agents[0]
    asset_id = edit(msp, agent, name="Reception", description="By the door")
    msp.tactical.control.agents.edit(agent_id=agent, hostname="PC-1", version="9.9.9")
    assert counted(msp.sync()) == {"seen": 24, "updated": 1, "unchanged": 23}
    row = msp.assets()[agent]
    assert (row["name"], row["description"]) == ("Reception", "By the door")
    assert row["agent_version"] == "9.9.9"
    edits.release_field(asset_id, "name")
    assert counted(msp.sync()) == {"seen": 24, "updated": 1, "unchanged": 23}
    row = msp.assets()[agent]
    assert (row["name"], row["description"]) == ("PC-1", "By the door")


@pytest.mark.one_database
def test_an_edited_client_stays_wherever_the_agent_goes(msp: Msp) -> None:
    msp.import_fleet()
    agent = msp.agents[0]
    own = clients.add_client("Chosen by hand")
    asset_id = edit(msp, agent, client_id=own.id)
    assert counted(msp.sync()) == {"seen": 24, "unchanged": 24}
    other = msp.sites_of_others(agent)[0]
    msp.tactical.control.agents.move(agent_id=agent, site=other["site_pk"])
    msp.sync()
    assert place(msp.assets()[agent]) == ("Chosen by hand", *true_place(other)[1:])
    # Nor does mapping its organization elsewhere take it along.
    elsewhere = clients.add_client("Elsewhere")
    mapping = msp.mapping_id(other["client_pk"])
    assert organization_mapping.map_to_client(mapping, elsewhere.id).moved_assets > 0
    assert msp.assets()[agent]["client"] == "Chosen by hand"
    # Released, it comes home with the next sync, once.
    edits.release_field(asset_id, "client")
    assert counted(msp.sync()) == {"seen": 24, "moved": 1, "unchanged": 23}
    assert msp.assets()[agent]["client"] == "Elsewhere"
    assert counted(msp.sync()) == {"seen": 24, "unchanged": 24}


@pytest.mark.one_database
def test_an_asset_with_the_wrong_client_is_put_right_once(msp: Msp) -> None:
    """Whatever put it there."""
    msp.import_fleet()
    agent = msp.agents[0]
    right = msp.assets()[agent]["client"]
    stray = clients.add_client("Stray")
    with transaction() as session:
        asset = session.scalars(db.select(Asset).filter_by(rmm_device_id=agent)).one()
        asset.client_id = stray.id
    run = msp.sync()
    assert counted(run) == {"seen": 24, "moved": 1, "unchanged": 23}
    assert msp.assets()[agent]["client"] == right
    assert counted(msp.sync()) == {"seen": 24, "unchanged": 24}
    assert clients.delete_client(stray.id) == "Stray"
    assert SyncKind.DEVICES is run.kind
