"""Forms do their work where no script runs: each has an address that takes it, and a button that
sends it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.exceptions import HTTPException

from tests.web.safety.test_isolation import address, methods, tenant_rules
from tests.web.world import Place

pytestmark = pytest.mark.one_database

OUTSIDE = (
    *("/sign-in", "/account", "/tenants", "/nowhere", "/help/guide"),
    *("/account/second-factor/", "/account/second-factor/app", "/account/second-factor/passkey"),
)
"""Pages of no tenant."""
ONLY_WITH_SCRIPTS = {
    "dialog": "is opened by a script",
    "palette": "is opened by a script; its button leads to a page with the same search",
    "passkey": "browsers give passkeys to scripts alone; the page says so, and offers another way",
}
"""Forms that may lack both, and why."""
NO_SENDERS = {"button", "reset"}


@dataclass
class Form:
    method: str
    action: str
    exempt: str
    fields: int = 0
    """What somebody can fill in or tick."""
    senders: list[str] = field(default_factory=list)
    """The addresses that buttons without a script send it to."""


class Reader(HTMLParser):
    """The forms of a page, and the buttons that only a script does anything with."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.dead: list[str] = []
        self._by_id: dict[str, Form] = {}
        self._elsewhere: list[tuple[str, dict[str, str]]] = []
        self._open: Form | None = None
        self._template = False
        """Inside of one, which only a script shows."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        its = {name: value or "" for name, value in attrs}
        self._template = self._template or tag == "template"
        if self._template:
            return
        if tag == "form":
            self._open = Form(its.get("method", "get").lower(), its.get("action", ""), _why(its))
            self.forms.append(self._open)
            self._by_id[its.get("id", "")] = self._open
        elif tag == "button" or (tag == "input" and its.get("type") in ("submit", "image")):
            self._take_button(its)
        elif tag in ("input", "select", "textarea") and its.get("type") != "hidden":
            if self._open is not None:
                self._open.fields += 1
        elif tag in ("a", "div", "span") and "hx-post" in its:
            self.dead.append(f"<{tag}> that sends to {its['hx-post']}")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None
        self._template = self._template and tag != "template"

    def close(self) -> None:
        super().close()
        for name, its in self._elsewhere:
            self._add(self._by_id[name], its)

    def _take_button(self, its: dict[str, str]) -> None:
        if its.get("type", "submit") in NO_SENDERS:
            if "hx-post" in its and "needs-js" not in its.get("class", "").split():
                self.dead.append(f"a button that sends to {its['hx-post']}")
        elif "form" in its:
            self._elsewhere.append((its["form"], its))
        elif self._open is None:
            self.dead.append(f"a button without a form: {its}")
        else:
            self._add(self._open, its)

    def _add(self, form: Form, its: dict[str, str]) -> None:
        if "needs-js" not in its.get("class", "").split() and "hidden" not in its:
            form.senders.append(its.get("formaction", form.action))


def _why(its: dict[str, str]) -> str:
    if its.get("method") == "dialog":
        return "dialog"
    if its.get("class") == "palette-form":
        return "palette"
    return "passkey" if "data-passkey" in its else ""


def read_forms(app: Flask, http: FlaskClient, paths: Iterator[str]) -> dict[str, Reader]:
    found = {}
    for path in paths:
        answer = http.get(path, follow_redirects=True)
        if answer.mimetype == "text/html" and answer.status_code < 500:
            reader = Reader()
            reader.feed(answer.text)
            reader.close()
            found[answer.request.path] = reader
    return found


def takes(app: Flask, method: str, url: str) -> bool:
    try:
        app.url_map.bind("localhost").match(urlsplit(url).path, method=method.upper())
    except HTTPException:
        return False
    return True


def test_every_form_is_sent_by_a_button_to_an_address_that_takes_it(
    app: Flask, owner: FlaskClient, acme: Place
) -> None:
    own = (address(rule, acme.slug, acme) for rule in tenant_rules(app) if "GET" in methods(rule))
    pages = read_forms(app, owner, iter([*OUTSIDE, *own, acme.url("alerts/?status=any")]))
    assert len(pages) > 70
    wrong, exempt, seen = set(), set(), 0
    for path, reader in pages.items():
        wrong |= {f"{path}: {each}" for each in reader.dead}
        for form in reader.forms:
            seen += 1
            if form.exempt:
                exempt.add(form.exempt)
                continue
            where = {urljoin(path, each) for each in form.senders}
            if not where and form.fields:
                wrong.add(f"{path}: no button sends the form to {form.action or 'itself'}")
            bad = {each for each in where if not takes(app, form.method, each)}
            wrong |= {f"{path}: nothing takes {form.method} at {each}" for each in bad}
    assert wrong == set()
    assert seen > 400
    assert exempt <= ONLY_WITH_SCRIPTS.keys()
