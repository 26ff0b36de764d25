"""What the forms take, and how text becomes each helpdesk's markup."""

from __future__ import annotations

from typing import Any

import pytest

from portal.far_side.form import Rejected
from portal.helpdesks import KINDS
from portal.helpdesks.kind import Refused
from portal.helpdesks.redmine.markup import write_block
from tests.egress.servers import answer, open_gateway, serve

GOOD: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "rt": ({"url": "https://rt.example.com/"}, {"token": "1-14-0a1b"}),
    "redmine": ({"url": "https://redmine.example.com/desk"}, {"key": "0a1b2c"}),
}


@pytest.mark.parametrize(
    ("kind", "field", "value"),
    [
        ("rt", "url", "rt.example.com"),
        ("rt", "url", "https://rt.example.com/?x=1"),
        ("rt", "token", "0a1b2c"),
        ("rt", "field", "Portal'Key"),
        ("rt", "closed", ""),
        ("redmine", "url", "https://me:secret@redmine.example.com"),
        ("redmine", "key", "no key"),
        ("redmine", "field", " "),
    ],
)
def test_what_cannot_be_used_is_named(kind: str, field: str, value: str) -> None:
    defaults = {each.name: each.default for each in KINDS[kind].fields if not each.is_secret}
    settings, secrets = GOOD[kind]
    settings = defaults | settings
    assert KINDS[kind].check(settings, secrets).endswith("example.com")
    with pytest.raises(Rejected) as caught:
        KINDS[kind].check(settings | {field: value}, {**secrets, field: value})
    assert list(caught.value.problems) == [field]


def test_a_refusal_that_request_tracker_says_with_200() -> None:
    settings, secrets = GOOD["rt"]
    said = answer(b'["Ticket 7: Permission Denied"]')
    names = {"field": "PortalKey", "closed": "resolved", "open": "open"}
    with serve(said) as server, open_gateway() as gateway:
        client = KINDS["rt"].connect(gateway, {**settings, **names, "url": server.url}, secrets)
        with pytest.raises(Refused, match="Ticket 7: Permission Denied"):
            client.close("7")
        with pytest.raises(Refused, match="no ticket number"):
            client.close("7/merge")
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("markup", "text", "written"),
    [
        ("textile", "*C:* is {{full}}", "<pre>\n*C:* is {{full}}\n</pre>"),
        ("textile", "a</PRE>b", "<pre>\na<\u200b/PRE>b\n</pre>"),
        ("markdown", "a ``` b", "````\na ``` b\n````"),
    ],
)
def test_text_for_redmine_stays_plain(markup: str, text: str, written: str) -> None:
    assert write_block(text, markup) == written
    assert write_block(text, markup, "https://p") == f"{written}\n\nhttps://p"
