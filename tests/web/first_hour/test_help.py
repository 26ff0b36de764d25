"""Help: each page leads to a paragraph that there is, and the documents are shown whole."""

from __future__ import annotations

import re
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal.web.help.markdown import render
from portal.web.help.topics import OF_ENDPOINTS, TOPICS
from portal.web.help.views import read_documents
from tests.web.world import Place

pytestmark = pytest.mark.one_database


def test_every_page_leads_to_a_paragraph_that_there_is(app: Flask, owner: FlaskClient) -> None:
    areas = {rule.endpoint.partition(".")[0] for rule in app.url_map.iter_rules()}
    endpoints = {rule.endpoint for rule in app.url_map.iter_rules()}
    assert areas >= TOPICS.keys()
    assert endpoints >= OF_ENDPOINTS.keys()
    for topic in {*TOPICS.values(), *OF_ENDPOINTS.values()}:
        document, _, anchor = topic.partition("#")
        text = read_documents()[document]
        page = owner.get(f"/help/{document}")
        is_title = f'id="{anchor}"' in render(text.partition("\n")[0], lambda _link: None)
        assert is_title or f' id="{anchor}"' in page.text, topic


def test_the_mark_stands_beside_the_heading(owner: FlaskClient, acme: Place) -> None:
    assert (
        'href="/help/webhook#set-it-up"'
        in owner.get(acme.url("integrations/tacticalrmm/webhook/")).text
    )
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
