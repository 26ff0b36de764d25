"""Help: each page leads to a paragraph that there is, and the documents are shown whole."""

from __future__ import annotations

import re
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal.web.help.markdown import render
from portal.web.help.topics import OF_ENDPOINTS, PAST_DAY, TOPICS, topic_of
from portal.web.help.views import read_documents
from tests.web.safety.test_isolation import methods
from tests.web.test_pages_in_browser import NO_PAGES
from tests.web.world import Place

pytestmark = pytest.mark.one_database

ELSEWHERE = {"acknowledge", "calendars", "design", "health", "help", "second_step"}
ELSEWHERE |= {"sso", "static", "webhooks"}
"""Of programs, of whoever is not signed in yet, and the documents themselves."""
TOKENS = {"api_tokens.index", "api_tokens.reference"}
STRANGERS = {
    *("auth.home", "auth.sign_in", "auth.setup", "auth.show_session", "webhook.progress"),
    *("auth.open_invitation", "auth.open_old_invitation", "auth.go_on_with_invitation"),
    *("auth.open_reset", "auth.open_old_reset"),
}
"""Their like, and a part of a page."""


def test_every_page_leads_to_a_paragraph_that_there_is(app: Flask, owner: FlaskClient) -> None:
    areas = {rule.endpoint.partition(".")[0] for rule in app.url_map.iter_rules()}
    endpoints = {rule.endpoint for rule in app.url_map.iter_rules()}
    assert areas >= TOPICS.keys()
    assert endpoints >= OF_ENDPOINTS.keys()
    for topic in {*TOPICS.values(), *OF_ENDPOINTS.values(), PAST_DAY}:
        document, _, anchor = topic.partition("#")
        text = read_documents()[document]
        page = owner.get(f"/help/{document}")
        is_title = f'id="{anchor}"' in render(text.partition("\n")[0], lambda _link: None)
        assert is_title or f' id="{anchor}"' in page.text, topic


def test_beside_a_document_stand_its_parts_and_all_others(owner: FlaskClient) -> None:
    page = owner.get("/help/guide").text
    assert '<a href="#2-organizations">2. Organizations</a>' in page
    assert '<a href="/help/guide" aria-current="page">' in page
    assert '<a href="/help/commands">The portal command</a>' in page
    assert 'href="/help/architecture">' not in page.partition("All help")[2]


def test_every_page_of_a_person_has_one(app: Flask) -> None:
    of_people = {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if "GET" in methods(rule)
        and rule.endpoint.partition(".")[0] not in ELSEWHERE
        and (rule.endpoint in TOKENS or not rule.endpoint.startswith("api_"))
        and rule.endpoint not in NO_PAGES | STRANGERS
    }
    assert {endpoint for endpoint in of_people if not topic_of(endpoint)} == set()


@pytest.mark.parametrize(
    ("path", "topic"),
    [
        ("", "guide#7-the-dashboard"),
        ("integrations/tacticalrmm/webhook/", "webhook#set-it-up"),
        ("assets/{asset}/history", "guide#the-page-of-an-asset"),
        ("clients/{client}/report", "reports#the-month-of-a-client"),
        ("clients/{client}/software", "guide#the-page-of-a-client"),
        ("assets/?as_of=2020-01-01", "reports#lists-of-a-past-day"),
        ("sync-runs/{run}/undo", "guide#undo"),
        ("/account", "people#sessions"),
    ],
)
def test_the_mark_stands_beside_the_heading(
    owner: FlaskClient, acme: Place, path: str, topic: str
) -> None:
    path = path.format(asset=acme.asset, client=acme.client, run=acme.run)
    page = owner.get(path if path.startswith("/") else acme.url(path)).text
    assert f'class="help-link" href="/help/{topic}"' in page


def test_there_is_no_other_help(owner: FlaskClient) -> None:
    assert owner.get("/help/nothing").status_code == 404
    assert owner.get("/help/../README").status_code == 404


def test_strangers_sign_in_first(app: Flask) -> None:
    assert app.test_client().get("/help/guide").location == "/sign-in?next=/help/guide"


def test_links_lead_to_other_documents(owner: FlaskClient) -> None:
    for name in read_documents():
        page = unescape(owner.get(f"/help/{name}").text)
        for link in re.findall(r'<a href="/help/([\w-]+)', page):
            assert link in read_documents(), f"{name}: {link}"


def test_markdown_is_escaped() -> None:
    text = (
        "<b>&</b> `a<b` **x [y](z.md)** *e*\n\n- one\n  more\n  - two\n\n"
        "| a | b |\n|---|---|\n| `c\\|d` | <i> |"
    )
    assert render(text, lambda link: f"/{link}") == (
        '<p>&lt;b&gt;&amp;&lt;/b&gt; <code>a&lt;b</code> <strong>x <a href="/z.md">y</a></strong> '
        "<em>e</em></p>\n<ul><li>one more<ul><li>two</li></ul></li></ul>\n"
        '<div tabindex="0"><table class="table"><thead><tr>'
        '<th scope="col">a</th><th scope="col">b</th></tr></thead><tbody>'
        "<tr><td><code>c|d</code></td><td>&lt;i&gt;</td></tr></tbody></table></div>"
    )
