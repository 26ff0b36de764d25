"""Notes of assets: written by people, kept apart from what syncs write."""

from __future__ import annotations

import csv
import io
import re
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from portal.db import db
from portal.models import AssetChange, AuditEntry
from portal.scope import tenant_scope
from portal.services.api.assets import read_asset
from portal.services.assets.listing import AssetFilter, list_assets
from portal.services.assets.notes import LONGEST_NOTE
from tests.web.conftest import acme, admin
from tests.web.safety.neighbour import limited_user
from tests.web.world import Place, make_user, sign_in

pytestmark = pytest.mark.mainly("postgresql")

__all__ = ["acme", "admin"]

NOTE = "Key <b>17</b> at the desk.\nSee https://wiki.example.com/a?b=1&c=2 first"


def write(http: FlaskClient, acme: Place, note: str, version: str = "none") -> tuple[int, str]:
    url = acme.url(f"assets/{acme.asset}/note")
    answer = http.post(url, data={"note": note, "version": version}, follow_redirects=True)
    return answer.status_code, answer.text


def version_in(text: str) -> str:
    [version] = re.findall(r'name="version" value="([^"]+)"', text)
    return unescape(version)


def test_a_note_is_shown_kept_found_and_exported(
    app: Flask, admin: FlaskClient, acme: Place
) -> None:
    status, page = write(admin, acme, f"  {NOTE}\x07\r\n")
    assert status == 200
    assert "Key &lt;b&gt;17&lt;/b&gt; at the desk.\nSee " in page
    assert '<a href="https://wiki.example.com/a?b=1&amp;c=2" rel="nofollow noopener' in page
    history = admin.get(acme.url(f"assets/{acme.asset}/history")).text
    assert "Note changed" in history
    [row] = csv.DictReader(io.StringIO(admin.get(acme.url("assets/export.csv?q=desk")).text))
    assert row["note"] == NOTE
    with app.app_context(), tenant_scope(acme.id):
        assert read_asset(acme.asset)["note"] == NOTE
        assert [found.id for found in list_assets(AssetFilter(search="wiki.example")).items] == [
            acme.asset
        ]
        [change] = db.session.scalars(select(AssetChange).where(AssetChange.column == "note"))
        assert (change.action, change.before, change.after) == ("noted", None, NOTE)
        [entry] = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "asset.noted"))
        assert entry.after == {"note": " ".join(NOTE.split())}

    assert write(admin, acme, NOTE, "an old one")[0] == 200, "it says so already"
    version = version_in(admin.get(acme.url(f"assets/{acme.asset}/note")).text)
    assert "No note yet" in write(admin, acme, " \n", version)[1]


def test_who_is_slower_is_told_and_loses_nothing(
    app: Flask, admin: FlaskClient, acme: Place
) -> None:
    colleague = app.test_client()
    sign_in(app, colleague, make_user(app, "tom@acme.example", acme, role="technician"))
    url = acme.url(f"assets/{acme.asset}/note")
    seen = version_in(admin.get(url).text)
    assert write(colleague, acme, "Of the colleague", seen)[0] == 200

    status, page = write(admin, acme, "Of the admin", seen)
    assert status == 409
    assert "Somebody else has changed the note" in page
    assert "Of the colleague" in page
    assert ">Of the admin</textarea>" in page
    assert "tom@acme.example" in page
    status, page = write(admin, acme, "Of both", version_in(page))
    assert (status, "Of both" in page) == (200, True)


@pytest.mark.one_database
def test_one_that_is_too_long_comes_back(admin: FlaskClient, acme: Place) -> None:
    status, page = write(admin, acme, "x" * (LONGEST_NOTE + 1))
    assert status == 422
    assert "has at most 4,000 characters, and this has 4,001." in page
    assert "x" * (LONGEST_NOTE + 1) + "</textarea>" in page
    assert version_in(page) == "none"


@pytest.mark.one_database
def test_who_is_limited_writes_on_their_own_and_reads_no_names(
    app: Flask, admin: FlaskClient, acme: Place
) -> None:
    write(admin, acme, "Of the admin")
    limited = app.test_client()
    sign_in(app, limited, limited_user(app, acme, acme.client))
    page = limited.get(acme.url(f"assets/{acme.asset}")).text
    assert "Of the admin" in page
    assert "admin@acme.example" not in page
    assert "by a colleague" in page
    version = version_in(limited.get(acme.url(f"assets/{acme.asset}/note")).text)
    assert "by limited-technician@acme.example" in write(limited, acme, "Mine", version)[1]

    other = app.test_client()
    sign_in(app, other, limited_user(app, acme, role="viewer"))
    assert other.get(acme.url(f"assets/{acme.asset}/note")).status_code == 403
    assert other.get(acme.url(f"assets/{acme.asset}")).status_code == 404
