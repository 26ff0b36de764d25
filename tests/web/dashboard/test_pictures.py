"""The dashboard: its numbers are those that were counted, and each leads to what it counts."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from portal.clock import begin_of, day_of, utc_now
from portal.db import transaction
from portal.models import Alert, AlertHandling, Asset, Client, OrganizationMapping
from portal.models.alerts.alert import AlertSource, AlertStatus, Severity
from portal.scope import tenant_scope
from portal.services.assets.daily_counts import COLUMNS
from portal.services.assets.nightly_counts import keep_counts
from portal.web.dashboard.pictures import list_systems, name_system
from portal.web.day_charts import Series, draw_days
from tests.web.world import Place

pytestmark = pytest.mark.one_database

TAG = re.compile(r"<[^>]+>")
YESTERDAY = day_of(utc_now()) - timedelta(days=1)


@pytest.fixture
def scope(app: Flask, acme: Place) -> Iterator[Place]:
    with app.app_context(), tenant_scope(acme.id):
        yield acme


def rows_of(page: str, caption: str) -> list[list[str]]:
    """The table behind a picture."""
    [table] = re.findall(rf"<caption>{caption}.*?</table>", page, re.DOTALL)
    rows = re.findall(r"<tr>.*?</tr>", table)
    return [[TAG.sub("", each) for each in re.findall(r"<t[hd].*?</t[hd]>", row)] for row in rows]


def links_of(page: str) -> list[str]:
    return [html.unescape(each) for each in re.findall(r'href="([^"]+)"', page)]


def add_alert(asset: Asset, severity: Severity, began: Any, over: Any = None) -> None:
    with transaction() as session:
        alert = Alert(
            **{"integration_id": asset.integration_id, "asset_id": asset.id, "condition": "x"},
            **{"alert_type": "check", "severity": severity, "source": AlertSource.WEBHOOK},
            **{"triggered_at": began, "resolved_at": over, "hostname": f"{severity} {began}"},
            status=AlertStatus.RESOLVED if over else AlertStatus.ACTIVE,
        )
        session.add(alert)
        session.flush()
        its = {"occurrence": 1, "began_at": began, "over_at": over}
        session.add(AlertHandling(alert_id=alert.id, **its))


def test_without_history_it_says_from_when_on_there_is_one(admin: FlaskClient, acme: Place) -> None:
    page = admin.get(acme.url()).text
    assert page.count("From tomorrow on") == 2
    assert "<figure" not in page
    assert 'Assets</a><span class="dash-total">1</span>' in page


def test_its_pictures_are_what_was_counted(admin: FlaskClient, scope: Place) -> None:
    counts = {name: number for number, name in enumerate(COLUMNS, 1)}
    alerts = {name: counts[name] for name in COLUMNS if name.startswith(("raised", "resolved"))}
    keep_counts(YESTERDAY - timedelta(days=1), {scope.client: alerts})
    keep_counts(YESTERDAY, {scope.client: counts})

    page = admin.get(scope.url()).text
    _head, *rows = rows_of(page, "Assets by status")
    statuses = [str(counts[word]) for word in ("online", "offline", "overdue", "unknown")]
    assert [row[1:] for row in rows] == [statuses, ["not counted"] * 4]
    _head, *rows = rows_of(page, "Alerts raised and resolved")
    of_a_day = [
        str(counts[f"{what}_{word}"])
        for what in ("raised", "resolved")
        for word in ("error", "warning", "info")
    ]
    assert [row[1:] for row in rows] == [of_a_day, of_a_day]
    assert "1 night was missed" in page
    assert links_of(page).count(scope.url("assets/?status=overdue")) == 1, "that of now"
    behind = re.findall(r'<details class="day-chart-table">.*?</details>', page, re.DOTALL)
    tables, pictures = links_of("".join(behind)), re.findall("<svg.*?</svg>", page, re.DOTALL)
    bars = links_of("".join(pictures))
    for number, where in (
        (1, f"alerts/?status=any&severity=error&raised={YESTERDAY}"),
        (1, f"alerts/?status=any&severity=error&resolved={YESTERDAY}"),
        (4, f"assets/?as_of={YESTERDAY}"),
    ):
        assert tables.count(scope.url(where)) == number, "by keyboard and by ear"
        assert bars.count(scope.url(where)) == number, "by the pointer"


def test_a_day_leads_to_its_alerts(admin: FlaskClient, scope: Place) -> None:
    [asset] = load_assets(scope)
    early = begin_of(YESTERDAY)
    add_alert(asset, Severity.ERROR, early, early + timedelta(days=1))
    add_alert(asset, Severity.INFO, early - timedelta(seconds=1), early + timedelta(hours=2))
    for day, what, shown in (
        (YESTERDAY, "raised", {"error"}),
        (YESTERDAY, "resolved", {"info"}),
        (YESTERDAY - timedelta(days=1), "raised", {"info"}),
        (YESTERDAY + timedelta(days=1), "resolved", {"error"}),
    ):
        page = admin.get(scope.url(f"alerts/?status=any&{what}={day}")).text
        assert {word for word in ("error", "info") if f"{word} 20" in page} == shown
        assert f"{what.capitalize()} on {day.day} " in page
    for nonsense in ("yesterday", "9999-12-31", "0001-01-01"):
        assert admin.get(scope.url(f"alerts/?raised={nonsense}")).status_code == 200


def load_assets(place: Place) -> list[Asset]:
    with transaction() as session:
        return list(session.scalars(select(Asset).order_by(Asset.id)))


def test_the_worst_clients_come_first_and_every_number_leads_to_its_list(
    admin: FlaskClient, scope: Place
) -> None:
    with transaction() as session:
        own = session.scalars(select(Asset)).one()
        clients = [Client(name=name) for name in ("Calm", "Warned", "Overdue", "Broken")]
        session.add_all(clients)
        session.flush()
        made = [copy_of(own, client.id, number) for number, client in enumerate(clients, 1)]
        session.add_all(made)
        calm, warned, overdue, broken = made
        overdue.agent_status, overdue.last_seen_at = "overdue", utc_now()
        calm.needs_reboot, calm.agent_version, own.agent_version = True, "2.9.1", "2.10.0"
        own.agent_status = "online"
        own.os_type, own.os_version = "Windows", "11 Pro, 64 bit v23H2 (build 22631.4460)"
        mapping = session.scalars(select(OrganizationMapping)).one()
        assert mapping.client_id == own.client_id
    add_alert(broken, Severity.ERROR, utc_now())
    add_alert(warned, Severity.WARNING, utc_now())
    page = admin.get(scope.url()).text
    worst = re.findall(r'<th scope="row"><a href="[^"]+/clients/\d+"[^>]*>([^<]+)</a>', page)
    order = ["Broken", "Overdue", "Warned"]
    assert [each for each in worst if each in {*order, "Calm"}] == order
    links = links_of(page)
    for where, names in (
        (f"alerts/?client_id={broken.client_id}&severity=error", {broken.name}),
        (f"assets/?client_id={overdue.client_id}&status=overdue", {overdue.name}),
        ("assets/?reboot=due", {calm.name}),
        ("assets/?behind=2.10.0", {calm.name}),
        ("assets/?agent=2.10.0", {own.name}),
        ("assets/?elsewhere=yes", {each.name for each in made}),
        ("assets/?os=Windows&system=11+Pro,+64+bit+v23H2", {own.name}),
    ):
        assert [each for each in links if spell(each) == spell(scope.url(where))], where
        shown = admin.get(scope.url(where)).text
        found = {each.name for each in (own, *made) if each.name in shown}
        assert found == names, where
    for label, number in (
        *(("Reboot due", 1), ("Agent older than 2.10.0, the newest here", 1)),
        *(("At another client than Tactical says", 4), ("Organizations without a client", 0)),
    ):
        zero = " is-zero" if not number else ""
        assert f'<span>{label}</span><span class="chart-number{zero}">{number}</span>' in page


def spell(address: str) -> str:
    return address.replace("%20", "+").replace("%2C", ",")


def copy_of(asset: Asset, client_id: int, number: int) -> Asset:
    """Of another client, though of the same organization."""
    same = ("integration_id", "rmm_provider", "rmm_organization_id", "asset_type", "agent_status")
    return Asset(
        **{name: getattr(asset, name) for name in (*same, "status_at", "last_rmm_sync_at")},
        **{"client_id": client_id, "rmm_device_id": f"copy-{number}", "name": f"COPY-{number}"},
    )


def test_bars_stand_on_their_line_and_end_at_a_round_number() -> None:
    days = [date(2026, 3, number) for number in (1, 3)]
    above = Series("Raised", "error", [40, 7], lambda day: f"/{day}")
    below = Series("Resolved", "info", [None, 21], lambda day: f"/{day}", is_below=True)
    chart = draw_days("Alerts", days, [above, below], 30, date(2026, 3, 3))
    assert [tick.label for tick in chart.ticks] == [40, 0, 25]
    assert [(bar.url, bar.title) for bar in chart.bars] == [
        ("/2026-03-01", "1 Mar: 40 raised"),
        ("/2026-03-03", "3 Mar: 7 raised"),
        ("/2026-03-03", "3 Mar: 21 resolved"),
    ]
    first, second, third = chart.bars
    assert first.y == 0
    assert first.height == second.y + second.height == third.y == chart.zero
    assert chart.notes == ["Counted since 1 Mar."]
    empty = draw_days("Alerts", days, [Series("Raised", "error", [0, 0], str)], 2, days[1])
    assert (empty.bars, [tick.label for tick in empty.ticks]) == ([], [0])


def test_builds_of_a_system_stand_together() -> None:
    assert [
        (row.label, row.number)
        for row in list_systems_of(
            {
                ("Windows", "11 Pro, 64 bit v23H2 (build 22631.4460)"): 2,
                ("Windows", "11 Pro, 64 bit v23H2 (build 22631.3880)"): 3,
                ("Linux", "ubuntu 22.04 x86_64 5.15.0-112-generic"): 1,
            }
        )
    ] == [("Windows 11 Pro 23H2", 5), ("Ubuntu 22.04", 1)]
    assert name_system("macOS", "14.5") == "macOS 14.5"
    assert name_system("Windows", "10 Pro, 64bit") == "Windows 10 Pro"


def list_systems_of(systems: dict[tuple[str, str], int]) -> Any:
    app = Flask(__name__)
    app.add_url_rule("/assets", "assets.index")
    with app.test_request_context():
        return list_systems(systems)
