"""What a helpdesk that a person describes would be asked, shown beside the form."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from tests.helpdesks.benches import HTTP_SETTINGS
from tests.web.world import Place

pytestmark = pytest.mark.one_database


def test_requests_are_shown_and_problems_named(admin: FlaskClient, acme: Place) -> None:
    own = {"url": "https://desk.example.com", "headers": "X-Key: s3cret-key"}
    form = {**HTTP_SETTINGS, **own}
    shown = admin.post(acme.url("helpdesks/preview/http"), data=form).text
    assert "POST https://desk.example.com/tickets" in shown
    assert "PUT https://desk.example.com/tickets/1042" in shown
    assert "s3cret-key" not in shown
    wrong = admin.post(acme.url("helpdesks/preview/http"), data={**form, "open_body": "{"}).text
    assert '<a href="#open_body">Body</a>' in wrong
    assert "no JSON" in wrong
    page = admin.get(acme.url("helpdesks/new/http")).text
    assert page.count("<details") == page.count("</details>")
    assert "<details open" not in page.replace(' class="more-settings"', "")
    broken = admin.post(acme.url("helpdesks/new/http"), data={**form, "open_body": "{"}).text
    assert broken.replace(' class="more-settings"', "").count("<details open") == 1
    assert "helpdesks/preview" not in admin.get(acme.url("helpdesks/new/rt")).text
