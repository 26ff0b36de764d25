"""The month of a client and lists as of a past day: on pages, as files, for whoever is limited."""

from __future__ import annotations

import csv
import html
import io
import re
import zipfile
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.clock import begin_of, day_of, utc_now
from portal.db import transaction
from portal.models import (
    Alert,
    AlertHandling,
    Asset,
    AssetChange,
    AssetSoftware,
    AuditEntry,
    Client,
    SoftwareTitle,
)
from portal.models.assets.change import ChangeAction
from portal.scope import tenant_scope
from portal.services.past.days import Month
from portal.services.reports.software_changes import to_line
from portal.services.reports.words import say_update
from portal.sync.software.products import place_titles
from portal.web.clients import report
from portal.web.template_helpers import iso_time
from tests.web.conftest import HTMX, acme, admin
from tests.web.safety.neighbour import limited_user
from tests.web.world import Place, make_alert, make_asset, sign_in

__all__ = ["acme", "admin"]

pytestmark = pytest.mark.one_database

MONTH = Month.of(day_of(utc_now())).previous
MIDDLE = MONTH.start + timedelta(days=14)
FORMULA = "=cmd|' /C calc'!A0"


def tell(asset: Asset, at: datetime, action: str, column: str = "", *both: Any) -> AssetChange:
    before, after = both or (None, None)
    return AssetChange(
        asset_id=asset.id,
        action=ChangeAction(action),
        column=column,
        before=before,
        after=after,
        cause="schedule",
        at=at,
    )


@pytest.fixture
def other_client(app: Flask, acme: Place) -> int:
    """In the month before this one `acme-pc` was renamed, `acme-new` came, `acme-moved` came from
    another client, and `acme-gone` went and was retired."""
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        other = Client(name="Other Client")
        session.add(other)
        session.flush()
        pc = session.get_one(Asset, acme.asset)
        of = pc.integration_id, acme.client
        new, moved, gone = (make_asset(*of, f"acme-{name}") for name in ("new", "moved", "gone"))
        new.name, new.created_at, new.asset_type = FORMULA, MIDDLE, "server"
        for each in (pc, moved, gone):
            each.created_at = MONTH.start - timedelta(days=40)
        gone.missing_since, gone.retired_at = MIDDLE, MIDDLE + timedelta(days=2)
        session.add_all((new, moved, gone))
        session.flush()
        session.add(tell(pc, pc.created_at, "created"))
        session.add(tell(pc, MIDDLE, "updated", "name", "old-name", pc.name))
        session.add(tell(new, MIDDLE, "created"))
        session.add(tell(moved, MIDDLE, "moved", "client_id", other.id, acme.client))
        session.add(tell(gone, MIDDLE, "missing", "missing_since", None, MIDDLE.isoformat()))
        at = gone.retired_at
        session.add(tell(gone, at, "retired", "retired_at", None, at.isoformat()))
        alert = session.get_one(Alert, acme.alert)
        alert.triggered_at = MIDDLE
        early = make_alert(moved)  # while it was the other client's
        early.triggered_at, early.external_alert_id = MONTH.start, "4711"
        session.add(early)
        install = session.scalars(select(AssetSoftware)).one()
        install.first_seen_at = MONTH.start - timedelta(days=3)
        first_list, late = MONTH.start - timedelta(days=3), MIDDLE + timedelta(days=1)
        for name, version, first, removed in (
            ("Viewer 23.01", "", first_list, MIDDLE),
            ("Viewer 24.07 (x64)", "24.07.0", MIDDLE, None),
            ("Game", "1", first_list, MIDDLE),
            ("Runtime 9.0", "9.0", first_list, None),
            ("Runtime 8.2", "8.2", first_list, MIDDLE),  # beside a newer one that stays
            ("Tool", "1", MIDDLE, None),
            ("Tool", "2", MIDDLE, late),
            ("Trial", "1", MIDDLE, late),  # came and went
        ):
            install_at(session, pc, name, version, first, removed)
        place_titles(session)
        return other.id


def install_at(
    session: Session, on: Asset, name: str, version: str, first: datetime, removed: datetime | None
) -> None:
    title = session.scalar(select(SoftwareTitle).where(SoftwareTitle.name == name))
    if title is None:
        session.add(title := SoftwareTitle(name=name, normalized_name=name.casefold()))
        session.flush()
    row = {"asset_id": on.id, "title_id": title.id, "version": version}
    session.add(AssetSoftware(**row, first_seen_at=first, removed_at=removed))


def read_sheets(data: bytes) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(data)) as book:
        return {name: book.read(name).decode() for name in book.namelist()}


def test_the_month_of_a_client_keeps_an_alert_that_is_raised_again_later(
    app: Flask, admin: FlaskClient, acme: Place, other_client: int
) -> None:
    now, hour = utc_now(), timedelta(hours=1)
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        alert = session.get_one(Alert, acme.alert)
        for n, (began, over) in enumerate(
            ((MIDDLE, MIDDLE + hour), (MIDDLE + 2 * hour, now), (now, None)), start=1
        ):
            its = {"alert_id": alert.id, "occurrence": n}
            handling = session.scalar(select(AlertHandling).filter_by(**its))
            session.add(handling := handling or AlertHandling(**its))
            handling.began_at, handling.over_at = began, over
        alert.occurrences, alert.triggered_at, alert.resolved_at = 3, now, None
    page = admin.get(acme.url(f"clients/{acme.client}/report?month={MONTH}")).text
    assert "2 raised" in page
    assert re.search(r">1</span>\s*<span class=\"count-label\">Alerts resolved", page)


@pytest.mark.usefixtures("other_client")
def test_of_many_computers_the_page_shows_some_and_says_where_all_are(
    admin: FlaskClient, acme: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report, "COMPUTERS_SHOWN", 1)
    page = admin.get(acme.url(f"clients/{acme.client}/report?month={MONTH}")).text
    added, fleet = (page.partition(f'id="{part}"')[2] for part in ("added", "fleet"))
    assert added.partition("</table>")[0].count("<tr>") == 2  # with the head
    assert "These are the first 1; the workbook has all." in added
    assert fleet.partition("</table>")[0].count("<tr>") == 2
    [address] = re.findall(r'first 1 by name; the <a href="([^"]+)', fleet)
    listed = admin.get(html.unescape(address)).text
    assert "3 assets" in listed


def test_the_month_of_a_client_counts_what_the_history_proves(
    app: Flask, admin: FlaskClient, acme: Place, other_client: int
) -> None:
    path = acme.url(f"clients/{acme.client}/report")
    page = admin.get(f"{path}?month={MONTH}").text
    last = f"{MONTH.last_day.day} {MONTH.last_day:%B %Y}"
    bill = f"2 workstations and 1 server on {last}; 2 added, 1 gone (1 retired)."
    assert bill in page
    for words in ("Moved here from Other Client", "Retired", "old-name", "1 raised"):
        assert (words in page) == (words != "old-name"), words
    made = begin_of(day_of(MONTH.start - timedelta(days=40)))
    fleet = page.partition('id="fleet"')[2]
    assert fleet.count(f'datetime="{iso_time(made)}"') == 2  # in the portal since long before
    theirs = admin.get(acme.url(f"clients/{other_client}/report?month={MONTH}")).text
    assert f"no computers on {last}; 0 added, 1 gone." in theirs
    assert "Moved away to Acme Client" in theirs
    assert "1 raised" in theirs

    file = admin.get(f"{path}.xlsx?month={MONTH}")
    assert file.headers["Content-Disposition"] == f'attachment; filename="acme-client-{MONTH}.xlsx"'
    sheets = read_sheets(file.data)
    text = "".join(sheets.values())
    assert bill in text
    assert "<f>" not in text  # a name is no formula
    assert "=cmd|" in text
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        row = session.scalars(select(AuditEntry).order_by(AuditEntry.number.desc())).first()
        assert row is not None
        assert (row.action, row.after) == (
            "list.exported",
            {"format": "xlsx", "filters": {"client": "Acme Client", "month": str(MONTH)}},
        )


def test_a_month_beyond_the_history_is_refused_and_kept_in_the_form(
    admin: FlaskClient, acme: Place, other_client: int
) -> None:
    path = acme.url(f"clients/{acme.client}/report")
    for month, words in (
        ("2001-05", "The history of assets reaches back to"),
        (str(MONTH.next.next.next), "has not begun yet"),
        ("October", "such as 2026-10"),
        ("0002-01", "The history of assets reaches back to"),
    ):
        answer = admin.get(f"{path}?month={month}")
        assert (answer.status_code, words in answer.text) == (422, True), month
        assert f'value="{month}"' in answer.text
        assert admin.get(f"{path}.xlsx?month={month}").status_code == 302


def read_software(page: str) -> list[str]:
    """The lines of what changed."""
    part = page.partition('id="software"')[2].partition("</section>")[0]
    rows = re.findall("<tr>(.*?)</tr>", part, re.S)[1:]
    return [" ".join(re.sub(r"<[^>]*>|\s+", " ", row).split()) for row in rows]


def test_the_first_list_of_a_computer_changes_nothing_and_the_next_one_does(
    app: Flask, admin: FlaskClient, acme: Place, other_client: int
) -> None:
    """It had been there, and nobody had read its list."""
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        connection = session.get_one(Asset, acme.asset).integration_id
        made_at, later = MONTH.start - timedelta(days=40), MIDDLE + timedelta(days=2)
        late = make_asset(connection, other_client, "late", created_at=made_at)
        session.add(late)
        session.flush()
        for name, version, first, removed in (
            ("Suite", "1", MIDDLE, None),
            ("Editor", "1.0", MIDDLE, later),
            ("Editor", "2.0", later, None),
            ("Paint", "1", MIDDLE, later),
            ("Saw", "1", later, None),
        ):
            install_at(session, late, name, version, first, removed)
        place_titles(session)
    page = admin.get(acme.url(f"clients/{other_client}/report?month={MONTH}")).text
    assert read_software(page) == ["Editor from 1.0 to 2.0 0 1 0", "Paint 0 0 1", "Saw 1 0 0"]


def test_software_that_changed_is_told_by_product(
    app: Flask, admin: FlaskClient, acme: Place, other_client: int
) -> None:
    """An update that has a title of its own is an update; and on `acme-new`, which came within the
    month, nothing counts."""
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        new = session.scalars(select(Asset).where(Asset.name == FORMULA)).one()
        install_at(session, new, "Game", "1", MIDDLE, None)
    path = acme.url(f"clients/{acme.client}/report")
    software = read_software(page := admin.get(f"{path}?month={MONTH}").text)
    assert software == [
        "Game 0 0 1",
        "Tool 1 0 0",
        "Viewer from 23.01 to 24.07.0 0 1 0",
    ]
    assert "3 products" in page
    assert "Counted on 1 computer:" in page
    book = "".join(read_sheets(admin.get(f"{path}.xlsx?month={MONTH}").data).values())
    for text in ("Viewer", "23.01", "24.07.0"):
        assert f">{text}<" in book


@pytest.mark.parametrize(
    ("updates", "counted", "said"),
    [
        ({("23.01", "24.07"): 2}, 2, "from 23.01 to 24.07"),
        ({("9.1", "24.07"): 1, ("10.2", "24.07"): 1}, 2, "from 9.1–10.2 to 24.07"),
        ({("24.07", "23.01"): 1}, 1, "from 24.07 to 23.01"),
        ({("9.1\n10.2", "10.2"): 1}, 0, ""),  # the older of two went
        ({("10.2", "10.2.0"): 1}, 0, ""),
        ({("", "2.0"): 1}, 1, "from an unknown version to 2.0"),
        ({(None, None): 1}, 0, ""),
    ],
)
def test_the_newest_version_of_each_computer_says_whether_it_was_updated(
    updates: dict[tuple[str | None, str | None], int], counted: int, said: str
) -> None:
    rows = [(*versions, number) for versions, number in updates.items()]
    line = to_line(7, "7-Zip", "", rows)
    assert (line.came, line.updated, line.went, say_update(line)) == (0, counted, 0, said)


def test_lists_are_those_of_the_day_and_nothing_can_be_done_there(
    admin: FlaskClient, acme: Place, other_client: int
) -> None:
    before = day_of(MIDDLE - timedelta(days=2))
    page = admin.get(acme.url(f"assets/?as_of={before}")).text
    assert f"As of {before.day} {before:%B %Y}" in page
    assert "Back to today" in page
    assert all(name in page for name in ("old-name", "acme-gone", "acme-moved"))
    assert "=cmd" not in page
    assert 'method="post"' not in page.partition("<main")[2].partition("</main>")[0]
    of_client = admin.get(acme.url(f"assets/?as_of={before}&client_id={acme.client}")).text
    assert "acme-moved" not in of_client
    clients = admin.get(acme.url(f"clients/?as_of={before}")).text
    assert "Acme Client" in clients
    software = admin.get(acme.url(f"software/?as_of={before}")).text
    assert "Game" in software
    assert "Viewer 23.01" not in software  # a title of the product Viewer
    found = re.findall(r'href="([^"]*)">Runtime</a>.*?"num line-mark">(\d+)<', software, re.S)
    link, assets = found[0]
    assert assets == "1"
    page = admin.get(html.unescape(link)).text
    assert re.findall(r'"line-mark">([^<]*)<', page) == ["8.2", "9.0"]
    file = admin.get(acme.url(f"assets/export.csv?as_of={before}")).text
    assert "old-name" in file
    assert "agent_status" not in file


def test_the_way_to_another_day_keeps_the_filters_and_knows_which_days_there_are(
    admin: FlaskClient, acme: Place, other_client: int
) -> None:
    """From today's list, from that of a past day and from a day of which there is none."""
    day, today = day_of(MIDDLE), day_of(utc_now())
    asked = f"q=acme&client_id={acme.client}&site=Cellar&type=server&os=Linux&sort=-site&tag=a"
    kept = {"q": "acme", "client_id": str(acme.client), "site": "Cellar", "type": "server"}
    kept |= {"os": "Linux", "sort": "-site"}
    for more in ("&status=online", f"&as_of={day}&status=missing", "&as_of=2001-01-01&page=2"):
        page = admin.get(acme.url(f"assets/?{asked}{more}")).text
        form = re.findall(r'<form class="day-form".*?</form>', page, re.S)[0]
        hidden = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', form))
        assert hidden == kept | ({"status": "missing"} if "missing" in more else {}), more
        begin = day_of(MONTH.start - timedelta(days=40))
        assert f'min="{begin}" max="{today}"' in form
    for where in ("clients/", "software/"):
        page = admin.get(acme.url(f"{where}?q=acme")).text
        assert 'type="hidden" name="q" value="acme"' in page.partition('class="day-form"')[2]
    answer = admin.get(
        acme.url("assets/?q=found&sort=-name"), headers=HTMX | {"HX-Target": "asset-rows"}
    )
    followed = answer.text.partition('id="day-filters"')[2].partition("</span>")[0]
    assert 'name="q" value="found"' in followed
    past = admin.get(acme.url(f"assets/?{asked}&as_of={day}")).text
    back = html.unescape(re.findall(r'href="([^"]+)">Back to today', past)[0])
    assert "q=acme" in back
    assert "as_of" not in back


def test_clients_of_a_past_day_are_found_exported_and_counted_when_deleted_since(
    app: Flask, admin: FlaskClient, acme: Place, other_client: int
) -> None:
    before = day_of(MIDDLE - timedelta(days=2))
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        other = session.get_one(Client, other_client)
        other.name, other.created_at = "Dvořák & Söhne", MONTH.start - timedelta(days=60)
    found = admin.get(acme.url(f"clients/?as_of={before}&q=dvorak")).text
    assert "Dvořák &amp; Söhne" in found
    assert "Acme Client" not in found
    assert html.unescape(re.findall(r'id="past-export" href="([^"]+)"', found)[0]) == acme.url(
        f"clients/export.csv?as_of={before}&q=dvorak"
    )
    file = admin.get(acme.url(f"clients/export.csv?as_of={before}&q=dvorak"))
    assert f"clients-as-of-{before}" in file.headers["Content-Disposition"]
    head = "client_id,client,assets,workstations,servers,online,offline,overdue,unknown"
    assert head.replace("workstations,servers", "workstation,server") in file.text
    assert file.text.splitlines()[1] == f"{other_client},Dvořák & Söhne,1,1,0,,,,"
    assert admin.get(acme.url("clients/export.csv?as_of=2001-01-01")).status_code == 302

    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        session.delete(session.get_one(Client, other_client))
    page = admin.get(acme.url(f"clients/?as_of={before}")).text
    assert "1 more computer was of 1 client deleted since" in page
    assert acme.url(f"assets/?as_of={before}") in page
    text = admin.get(acme.url(f"clients/export.csv?as_of={before}")).text
    assert f"{other_client},a deleted client,1,1,0,,,," in text
    assert "deleted since" not in admin.get(acme.url(f"clients/?as_of={before}&q=acme")).text


def test_exports_of_a_past_day_are_what_the_list_shows(
    admin: FlaskClient, acme: Place, other_client: int
) -> None:
    before = day_of(MIDDLE - timedelta(days=2))

    def read(path: str) -> list[dict[str, str]]:
        text = admin.get(acme.url(path)).text.removeprefix("\ufeff")
        return list(csv.DictReader(io.StringIO(text)))

    shown = admin.get(acme.url(f"software/?as_of={before}&q=runtime")).text
    link = html.unescape(re.findall(r'id="past-export" href="([^"]+)"', shown)[0])
    found = list(csv.DictReader(io.StringIO(admin.get(link).text.removeprefix("\ufeff"))))
    assert {row["product"] for row in found} == {"Runtime"}
    assert len(read(f"software/export.csv?as_of={before}")) > len(found) == 2
    names = [row["name"] for row in read(f"assets/export.csv?as_of={before}")]
    down = [row["name"] for row in read(f"assets/export.csv?as_of={before}&sort=-name")]
    assert len(names) == 3
    assert down == names[::-1]


def test_the_month_of_a_client_has_the_alerts_of_computers_that_are_no_assets(
    app: Flask, admin: FlaskClient, acme: Place, other_client: int
) -> None:
    where = acme.url(f"clients/{acme.client}/report?month={MONTH}")
    before = int(re.findall(r"(\d+) raised", admin.get(where).text)[0])
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        own = session.get_one(Asset, acme.asset)
        for number, at in enumerate((MIDDLE, MONTH.start - timedelta(days=2), MIDDLE), start=1):
            alert = make_alert(own)
            alert.asset_id, alert.external_alert_id = None, f"no-asset-{number}"
            organization = own.rmm_organization_id if number < 3 else "of-nobody"
            alert.external_organization_id, alert.triggered_at = organization, at
            alert.message, alert.resolved_at = f"Not imported {number}", MIDDLE
            session.add(alert)
    page = admin.get(where).text
    assert f"{before + 1} raised" in page
    assert "Not imported 1" in page
    assert "Not imported 2" not in page
    assert "Not imported 3" not in page
    assert re.search(r">2</span>\s*<span class=\"count-label\">Alerts resolved", page)
    book = admin.get(acme.url(f"clients/{acme.client}/report.xlsx?month={MONTH}")).data
    assert any("Not imported 1" in sheet for sheet in read_sheets(book).values())


@pytest.mark.parametrize("day", ["2001-01-01", "tomorrow", "2026-13-01", "9999-12-31"])
def test_a_day_of_which_there_is_no_list_is_refused(
    admin: FlaskClient, acme: Place, other_client: int, day: str
) -> None:
    for where in ("assets/", "software/", "clients/", f"software/products/{acme.product}"):
        answer = admin.get(acme.url(f"{where}?as_of={day}"))
        assert answer.status_code == 422
        assert "There is no list of this day" in answer.text
    assert admin.get(acme.url(f"assets/export.csv?as_of={day}")).status_code == 302


def test_whoever_is_limited_sees_what_was_theirs_on_that_day(
    app: Flask, http: FlaskClient, acme: Place, other_client: int
) -> None:
    before = day_of(MIDDLE - timedelta(days=2))
    sign_in(app, http, limited_user(app, acme, acme.client))
    assert "acme-moved" not in http.get(acme.url(f"assets/?as_of={before}")).text
    assert "acme-moved" in http.get(acme.url("assets/")).text
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        of = session.get_one(Asset, acme.asset).integration_id, other_client
        made_at = MONTH.start - timedelta(days=40)
        runtime = select(SoftwareTitle.id).where(SoftwareTitle.name == "Runtime 9.0")
        of_theirs = {"title_id": session.scalars(runtime).one(), "first_seen_at": made_at}
        for name in ("theirs-1", "theirs-2"):
            theirs = make_asset(*of, name, os_type="theirs", created_at=made_at)
            session.add(theirs)
            session.flush()
            session.add(AssetSoftware(asset_id=theirs.id, version="9.0", **of_theirs))
    listed = http.get(acme.url(f"assets/?as_of={before}")).text
    assert "theirs" not in listed
    assert re.findall(r'count-number">(\d+)<', listed)[:3] == ["2", "2", "0"]
    software = http.get(acme.url(f"software/?as_of={before}&q=runtime")).text
    assert re.findall(r'>Runtime</a>.*?"num line-mark">(\d+)<', software, re.S) == ["1"]
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        session.get_one(Asset, acme.asset).client_id = other_client
    for where in ("software/", f"software/products/{acme.product}"):
        answer = http.get(acme.url(f"{where}?as_of={day_of(utc_now())}"))
        assert "acme-pc" not in answer.text
        assert "Viewer" not in answer.text
    page = http.get(acme.url(f"clients/{acme.client}/report?month={MONTH}")).text
    assert "Moved here" in page
    assert "Other Client" not in page
    assert http.get(acme.url(f"clients/{other_client}/report")).status_code == 404
    assert http.get(acme.url(f"clients/{other_client}/report.xlsx")).status_code == 404


def test_the_page_of_a_client_leads_to_what_it_counts(
    app: Flask, admin: FlaskClient, acme: Place, other_client: int
) -> None:
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        session.add(
            tell(session.get_one(Asset, acme.asset), utc_now(), "updated", "name", "x", "y")
        )
    page = admin.get(acme.url(f"clients/{acme.client}")).text
    for path in (
        f"assets/?client_id={acme.client}&amp;status=online",
        f"alerts/?client_id={acme.client}",
        f"assets/{acme.asset}/history",
        f"clients/{acme.client}/software",
        f"tickets/{acme.ticket}",
    ):
        assert path in page, path
    software = admin.get(acme.url(f"clients/{acme.client}/software")).text
    assert "Acme Suite" in software.partition("Only at this client")[2]


def test_months_follow_the_calendar() -> None:
    december = Month(2026, 12)
    assert (str(december.next), str(december.previous)) == ("2027-01", "2026-11")
    assert december.last_day == date(2026, 12, 31)
    assert december.end == begin_of(date(2027, 1, 1))
