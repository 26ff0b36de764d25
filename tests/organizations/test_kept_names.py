"""Beside the names of clients and organizations stands what they say, whoever wrote them."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest
from sqlalchemy import func, select

from portal.company_names import read_company
from portal.db import db
from portal.models import Client, OrganizationMapping, SyncRun
from portal.models.organizations.company import COMPANY_COLUMNS
from portal.models.runs.sync_run import RunStatus, SyncKind
from portal.services.clients import add_client, rename_client
from portal.services.organizations import many, mapping
from portal.services.organizations.suggestions import find_same
from portal.services.runs.reverts import revert_to_end
from tests.support.msp import Msp

NAMES = Path(__file__).with_name("names.txt")
READ = "d0792cae59f9b04f"


def check_kept() -> dict[str, str]:
    """What each name says, without blanks."""
    kept = {}
    for model, name in (
        (Client, Client.name),
        (OrganizationMapping, OrganizationMapping.external_organization_name),
    ):
        columns = [getattr(model, column) for column in COMPANY_COLUMNS]
        for row in db.session.execute(select(name, *columns)):
            assert tuple(row[1:]) == read_company(row[0])
            kept[row[0]] = row[2]
    return kept


def test_every_writer_of_names_keeps_what_they_say(msp: Msp) -> None:
    places = msp.tactical.control.places
    msp.connect_untested()
    msp.sync(SyncKind.ORGANIZATIONS)
    first, second, third = [each["pk"] for each in msp.tactical.control.truth.clients()]
    assert len(check_kept()) == 3

    places.rename_client(first, "Bäckerei Groß GmbH")
    msp.sync(SyncKind.ORGANIZATIONS)
    assert check_kept()["Bäckerei Groß GmbH"] == "backereigross"

    client = add_client("Contoso, Ltd.")
    assert check_kept()["Contoso, Ltd."] == "contoso"
    rename_client(client.id, "BAECKEREI GROSS")
    assert check_kept()["BAECKEREI GROSS"] == "baeckereigross"
    number = msp.mapping_id(str(first))
    assert find_same().find_sure() == {number: client.id}

    many.create_many([msp.mapping_id(str(second))])
    run_id = db.session.scalars(select(func.max(SyncRun.id))).one()
    mapping.map_to_new_client(msp.mapping_id(str(third)), "Żubr Sp. z o.o.")
    assert check_kept()["Żubr Sp. z o.o."] == "zubr"
    assert revert_to_end(run_id).status is RunStatus.SUCCESS
    assert len(check_kept()) == 5


@pytest.mark.one_database
def test_names_are_read_as_those_that_are_kept() -> None:
    read = "\n".join(repr(tuple(read_company(name))) for name in NAMES.read_text().splitlines())
    assert sha256(read.encode()).hexdigest()[:16] == READ, (
        "Names are read otherwise than before: let a migration read again what is kept of them, as "
        "0079 did, then write down here what they come to now."
    )
