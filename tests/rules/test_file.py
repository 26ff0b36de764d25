"""Rules, windows and channels as one file."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from portal.db import db, transaction
from portal.errors import InvalidInput
from portal.models import AuditEntry, Channel, Helpdesk, MaintenanceWindow
from portal.scope import tenant_scope
from portal.services.rules import changes
from portal.services.rules.file.content import write_content
from portal.services.rules.file.importing import apply_import, preview_import
from portal.services.rules.file.reading import MOST_BYTES, read_yaml
from portal.services.rules.listing import get_rule, list_rules, query_rules, view_rule
from tests.stateful.tables import dump
from tests.web.world import Place, make_place

WHO = "anna@acme.example"
FILE = """
channels:
  - {name: Pager, kind: http, settings: {method: POST}, most_per_minute: 5}
helpdesks:
  - {name: Support, kind: rt, settings: {url: "https://rt.example/rt"}}
rules:
  - name: Nights
    switched_on: true
    go_on: true
    conditions:
      clients: [acme client]
      organizations: [Acme Organization]
      assets: [acme-pc]
      hours: {zone: Europe/Berlin, days: [5], start: 22:00, end: 06:00}
      text: {sought: no}
    steps:
      notify: [Pager, Acme Room]
      urgency: high
      ticket: {helpdesk: support, queue: General}
windows:
  - name: Patch night
    zone: Europe/Berlin
    starts: 2026-12-01T22:00
    minutes: 120
    repeats: {every: week, weekdays: [1]}
    scope: {clients: [Acme Client]}
"""


@pytest.fixture
def place(app: Flask) -> Place:
    return make_place(app)


def outcome(lines: Any) -> list[tuple[str, str, str]]:
    return [(line.kind, line.name, line.action) for line in lines]


def test_a_file_is_looked_at_then_taken_over_and_a_second_time_changes_nothing(
    app: Flask, place: Place
) -> None:
    with app.app_context(), tenant_scope(place.id):
        before = dump(place.id)
        looked_at = preview_import(FILE.encode(), WHO)
        assert dump(place.id) == before
        done = apply_import(FILE.encode(), WHO)
        assert done == looked_at
        assert outcome(done.lines) == [
            ("channel", "Pager", "added"),
            ("helpdesk", "Support", "added"),
            ("rule", "Nights", "added"),
            ("window", "Patch night", "added"),
        ]
        pager = db.session.scalars(select(Channel).where(Channel.name == "Pager")).one()
        assert (pager.active, pager.most_per_minute) == (False, 5)
        desk = db.session.scalars(select(Helpdesk).where(Helpdesk.name == "Support")).one()
        assert (desk.active, desk.is_proven, desk.settings["field"]) == (False, False, "PortalKey")
        first = list_rules()[0]
        assert first.steps.ticket is not None
        assert first.steps.ticket.helpdesk == desk.id
        assert (first.rule.name, first.is_on, first.rule.go_on) == ("Nights", True, True)
        assert first.steps.notify == (pager.id, place.channel)
        conditions = first.conditions
        assert (conditions.clients, conditions.assets) == ((place.client,), (place.asset,))
        assert conditions.hours is not None
        assert (conditions.hours.start, conditions.hours.days) == ("22:00", (5,))
        assert conditions.text is not None
        assert conditions.text.sought == "no"
        window = db.session.scalars(
            select(MaintenanceWindow).where(MaintenanceWindow.name == "Patch night")
        ).one()
        assert (window.created_by, window.scope) == (WHO, {"clients": [place.client]})
        assert {line.action for line in apply_import(FILE.encode(), WHO).lines} == {"unchanged"}
        recorded = select(AuditEntry).where(AuditEntry.action == "rule.imported")
        assert len(db.session.scalars(recorded).all()) == 1


@pytest.mark.one_database
def test_what_is_written_is_read_back_unchanged_and_holds_no_secret(
    app: Flask, place: Place
) -> None:
    with app.app_context(), tenant_scope(place.id):
        with transaction() as session:
            channel = session.get_one(Channel, place.channel)
            channel.settings = {"method": "PUT", "target": "hidden", "url": "https://s.example"}
        apply_import(FILE.encode(), WHO)
        text = write_content()
        assert "hidden" not in text
        assert "s.example" not in text
        assert "Acme Client" in text
        lines = apply_import(text.encode(), WHO).lines
        assert {line.action for line in lines} == {"unchanged"}
        assert {line.kind for line in lines} == {"rule", "window", "channel", "helpdesk"}


@pytest.mark.one_database
def test_what_is_here_is_changed_by_its_name_and_the_rest_stays(app: Flask, place: Place) -> None:
    file = b"""
rules:
  - {name: New, steps: {ignore: Noise}}
  - {name: acme SERVERS, switched_on: false, conditions: {}, steps: {notify: [Acme Room]}}
"""
    with app.app_context(), tenant_scope(place.id):
        done = apply_import(file, WHO)
        assert outcome(done.lines) == [
            ("rule", "New", "added"),
            ("rule", "acme SERVERS", "changed"),
        ]
        turned = apply_import(write_content().replace("New", "Newer").encode(), WHO)
        assert outcome(turned.changes) == [
            *(("rule", "Newer", "added"), ("rule", "Order of the rules", "changed")),
        ]
        changes.delete_rule(query_rules()[0].id)
        changes.move_rule(place.rule, up=False)
        assert [rule.name for rule in query_rules()] == ["New", "acme SERVERS"]
        assert not view_rule(get_rule(place.rule)).is_on
        changes.delete_rule(place.rule)
        apply_import(b"rules: [{name: Other, steps: {ignore: Noise}}]", WHO)
        assert [rule.name for rule in query_rules()] == ["Other", "New"]


@pytest.mark.one_database
def test_a_channel_that_is_here_keeps_where_it_leads(app: Flask, place: Place) -> None:
    """A file that names another host would be sent the stored password."""
    file = b"channels: [{name: acme room, kind: http, settings: {method: PUT}}]"
    with app.app_context(), tenant_scope(place.id):
        before = dict(db.session.get_one(Channel, place.channel).settings)
        line = apply_import(file, WHO).lines[0]
        assert line.action == "unchanged"
        assert "its settings stay" in line.notes[0]
        with app.app_context(), tenant_scope(place.id):
            kept = db.session.get_one(Channel, place.channel)
            assert (kept.settings, kept.active) == (before, True)


REFUSED = [
    (b"\xff\xfe", "not text in UTF-8"),
    (b"a" * (MOST_BYTES + 1), "too large"),
    (b"rules: [", "cannot be read"),
    (b"rules: &a [*a]", "anchors"),
    (b"[" * 30 + b"]" * 30, "nested too deeply"),
    (b"!!python/object:os.system {}", "cannot be read"),
    (b"rules: []\nrules: []", "stands here twice"),
    (b"{[1]: 2}", "must be a word"),
    (b'rules: [{name: A, conditions: {sites: ["\\ud800"]}, steps: {ignore: x}}]', "that is none"),
    (b'rules: ["\\0"]', "that is none"),
    (b"[1, 2]", "cannot be used"),
    (b"format: 2", "cannot be used"),
    (b"rules: [{name: 5}]", "(at rules[0].name)"),
    (b"ruels: []", "ruels"),
    (b"rules: [{name: A, steps: {notify: [Nobody]}}]", "there is no “Nobody”"),
    (b"rules: [{name: A, steps: {notify: Room}}]", "must be a list"),
    (b"rules: [{name: A, steps: {ticket: {helpdesk: X, queue: q}}}]", "there is no “X”"),
    (b"rules: [{name: A, conditions: {clients: [Gone]}, steps: {ignore: x}}]", "Gone"),
    (b"rules: [{name: A, conditions: {assets: [gone]}, steps: {ignore: x}}]", "gone"),
    (b"rules: [{name: A, conditions: {text: {sought: '(', is_pattern: true}}}]", "rule"),
    (b"windows: [{name: W, zone: Mars, starts: 2026-12-01T22:00, minutes: 9}]", "time zone"),
    (b"windows: [{name: W, zone: UTC, starts: soon, minutes: 9}]", "starts"),
    (b"channels: [{name: C, kind: fax}]", "no kind of channel"),
    (b"channels: [{name: C, kind: http, settings: {nonsense: x}}]", "no setting"),
    (b"channels: [{name: C, kind: http, most_per_minute: 0}]", "from 1 to 60"),
    (b"channels: [{name: C, kind: mail, settings: {server: a}}]", "“sender” cannot be used"),
    (
        b"channels: [{name: C, kind: mail, settings:"
        b" {server: a.example, port: smtp, sender: a@a.example, to: b@a.example}}]",
        "“port” cannot be used. Enter a number",
    ),
    (
        b"channels: [{name: C, kind: ntfy, settings: {server: https://a.example/topic}}]",
        "“server” cannot be used. Enter the server alone",
    ),
    (b"channels: [{name: C, kind: http, templates: {body: '{'}}]", "“body” cannot be used"),
]


@pytest.mark.one_database
def test_a_file_that_cannot_be_used_changes_nothing_and_says_why(app: Flask, place: Place) -> None:
    wrong = []
    with app.app_context(), tenant_scope(place.id):
        before = dump(place.id)
        for file, says in REFUSED:
            try:
                apply_import(file, WHO)
            except InvalidInput as error:
                if says not in error.message:
                    wrong.append((file[:60], error.message))
            else:
                wrong.append((file[:60], "taken"))
        assert wrong == []
        assert dump(place.id) == before


@pytest.mark.parametrize(
    "word", ["!!timestamp x", "!!int ''", "!!bool x", "!!map [1]", "!!set {a}", "!!float ''"]
)
def test_a_word_that_claims_to_be_something_else_is_refused(word: str) -> None:
    with pytest.raises(InvalidInput, match="uses tags"):
        read_yaml(f"rules: {word}".encode())


def test_words_are_read_as_they_stand() -> None:
    """`on`, `22:00` and dates are text; only true, false, null and whole numbers are not."""
    found = read_yaml(b"{on: no, a: 22:00, b: 2026-12-01, c: true, d: null, e: 08, f: 12, g: 1.5}")
    assert found == {
        **{"on": "no", "a": "22:00", "b": "2026-12-01", "c": True},
        **{"d": None, "e": "08", "f": 12, "g": "1.5"},
    }
