"""The living page of the design system."""

from __future__ import annotations

import re
from typing import Literal

import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Page, expect

from portal.web.static_files import list_sheets
from tests.web.accessible import assert_accessible, assert_fits
from tests.web.look.test_sheets import classes_of

pytestmark = pytest.mark.one_database

ELSEWHERE = {
    *("js", "no-js", "drawer-open", "copied", "htmx-request"),  # given by scripts
    *("bare", "bare-card", "bare-foot", "error-page", "session-ended"),  # the other shell
    *(
        "tenant-name",
        "tenant-switch",
        "nav-heading",
        "nav-list",
        "code-banner",
        "errands",
        "errand-steps",
        "post-button",
    ),  # of a tenant
    *("picker-list", "picker-option", "picker-create", "picker-clear", "picker-note", "col-picker"),
    *("toast-error", "toast-warning", "card-narrow", "columns-narrow", "region", "row-form"),
    *("code-form", "held-names", "entry-reason", "record-id"),
    *("toast-small", "toast-kept", "has-selection"),
    "run-detail",
}
"""Of components, but not to be shown on this page, or no different there."""


def test_it_is_there_while_debugging_only(http: FlaskClient, debugging: Flask) -> None:
    assert http.get("/design").status_code == 404
    assert debugging.test_client().get("/design").status_code == 200


def test_it_shows_every_component(debugging: Flask) -> None:
    page = debugging.test_client().get("/design").text
    shown = {name for text in re.findall(r'class="([^"]*)"', page) for name in text.split()}
    sheets = [sheet for sheet in list_sheets() if sheet.parent.name == "components"]
    assert {name for sheet in sheets for name in classes_of(sheet)} - shown == ELSEWHERE


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 320)])
def test_it_is_accessible(
    design: str, page: Page, scheme: Literal["light", "dark"], width: int
) -> None:
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": 844})
    page.goto(design)
    expect(page.get_by_role("heading", name="Design system")).to_be_visible()
    assert_accessible(page)
    assert_fits(page)


def test_it_shows_every_step_of_the_scales(debugging: Flask) -> None:
    http = debugging.test_client()
    page, sheet = http.get("/design").text, http.get("/design.css").text
    assert ">--text-1, 12 px</dt>" in page
    assert ">--space-8, 40 px</dt>" in page
    [tokens] = [each.read_text() for each in list_sheets() if each.name == "tokens.css"]
    names = re.findall(r"(--(?:text-\d|space-\d|raised|floating)):", tokens)
    assert len(names) == 16
    for name in names:
        assert f'data-token="{name}"' in page
        assert f'[data-token="{name}"]' in sheet
