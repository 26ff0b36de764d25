"""Clients: made, renamed, looked at, deleted when nothing hangs on them."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from tests.web.world import Place

pytestmark = pytest.mark.one_database


def test_the_list_is_exported(admin: FlaskClient, acme: Place) -> None:
    lines = admin.get(acme.url("clients/export.csv?q=acme")).text.splitlines()
    assert lines == ["client_id,client,assets,organizations", f"{acme.client},Acme Client,1,1"]
    assert len(admin.get(acme.url("clients/export.csv?q=nobody")).text.splitlines()) == 1


def test_a_client_is_made_renamed_and_deleted(admin: FlaskClient, acme: Place) -> None:
    made = admin.post(acme.url("clients/new"), data={"name": " Globex   Ltd "})
    page = admin.get(made.location).text
    assert "<title>Globex Ltd" in page
    assert "Added Globex Ltd." in page

    renamed = admin.post(f"{made.location}/edit", data={"name": "Initech"})
    assert renamed.location == made.location
    assert "Initech" in admin.get(acme.url("clients/")).text

    deleted = admin.post(f"{made.location}/delete")
    assert deleted.location == acme.url("clients/")
    assert admin.get(made.location).status_code == 404


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("  ", "Enter a name for the client."),
        ("ACME  client", "A client named Acme Client already exists. Choose another name."),
        ("x" * 201, "at most 200 characters"),
    ],
)
def test_a_name_that_cannot_be_is_kept_in_the_form(
    admin: FlaskClient, acme: Place, name: str, words: str
) -> None:
    answer = admin.post(acme.url("clients/new"), data={"name": name})

    assert answer.status_code == 422
    assert words in answer.text
    assert f'value="{name}"' in answer.text


def test_a_client_with_assets_stays(admin: FlaskClient, acme: Place) -> None:
    answer = admin.post(acme.url(f"clients/{acme.client}/delete"), follow_redirects=True)

    assert "Acme Client cannot be deleted: it has 1 asset and 1 mapped organization." in answer.text
    assert answer.request.path == acme.url(f"clients/{acme.client}")


def test_the_picker_finds_by_part_of_a_name(admin: FlaskClient, acme: Place) -> None:
    answer = admin.get(acme.url("clients/picker?q=CLI")).json

    assert answer == {
        "total": 1,
        "options": [{"id": acme.client, "name": "Acme Client", "note": "1 asset"}],
    }
    assert admin.get(acme.url("clients/picker?q=%25")).json == {"total": 0, "options": []}
