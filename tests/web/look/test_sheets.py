"""The sheets, the classes of templates and scripts, and how much of both a first page loads."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from portal.web.static_files import SCRIPTS, SHEETS, list_sheets
from tests.web.world import Place

pytestmark = pytest.mark.one_database

PORTAL = Path(__file__).parents[3] / "portal"
TEMPLATES = sorted((PORTAL / "templates").rglob("*.html"))
BUDGET = 45 * 1024
"""Bytes of style sheets, and as many of scripts, as they come over the network."""
HOOKS = {"run-bar"}
"""Classes without a look, that a script or a test finds an element by."""
GIVEN_BY_HTMX = {"htmx-request"}

NAME = r"-?[a-z][\w-]*"
CLASSES = re.compile(rf"\.({NAME})", re.IGNORECASE)
ATTRIBUTE = re.compile(r"""\bclass=(?:"([^"]*)"|\(([^)]*\)))|{% block wide %}([\w-]+)""")
"""Of an element, of a macro's call, or of the page around."""
IN_SCRIPTS = re.compile(r"""(?:classList\.\w+\(|className = )["'`]([^"'`]*)""")
TAG = re.compile(r"{%.*?%}")
EXPRESSION = re.compile(r"{{.*?}}")
LITERAL = re.compile(r"""(?:"([^"]*)"|'([^']*)')""")
DISTANCE = re.compile(
    r"^\s*(?:padding|margin|gap|row-gap|column-gap)[\w-]*: ([^;]+);", re.MULTILINE
)
FREE = re.compile(r"(?<![\w.-])(?!0(?![\d.]))(?!-?1px)(?!0\.\d+em)-?[\d.]+(?:rem|px)")


def rules(sheet: Path) -> str:
    return re.sub(r"/\*.*?\*/", "", sheet.read_text("utf-8"), flags=re.DOTALL)


def classes_of(sheet: Path) -> set[str]:
    """Those that its rules are about."""
    selectors = re.findall(r"([^{};]+){", rules(sheet))
    return {name for each in selectors if "@" not in each for name in CLASSES.findall(each)}


def defined() -> dict[str, str]:
    """Class -> one of the sheets that give it a look."""
    return {name: sheet.name for sheet in list_sheets() for name in classes_of(sheet)}


def named_by(text: str) -> Iterator[str]:
    """The classes of an attribute's text. `state-` stands for all whose ending is computed."""
    for spoken in EXPRESSION.findall(text):
        for one in LITERAL.findall(spoken):
            yield from (word for word in "".join(one).split() if re.fullmatch(NAME, word))
    yield from (
        word for word in EXPRESSION.sub("", TAG.sub(" ", text)).split() if re.fullmatch(NAME, word)
    )


def used() -> dict[str, str]:
    """Class, or its beginning -> one of the files that give it to an element."""
    found: dict[str, str] = {}
    for path in TEMPLATES:
        for plain, computed, block in ATTRIBUTE.findall(path.read_text("utf-8")):
            text = plain or block or f"{{{{ {computed} }}}}"
            found |= dict.fromkeys(named_by(text), path.name)
    for path in SCRIPTS.glob("*.js"):
        for text in IN_SCRIPTS.findall(path.read_text("utf-8")):
            found |= dict.fromkeys(named_by(re.sub(r"\$\{.*?\}", "", text)), path.name)
    return found


def test_every_class_has_a_look_and_every_look_a_class() -> None:
    looks, classes = defined(), used()
    beginnings = tuple(name for name in classes if name.endswith("-"))
    bare = {
        f"{path}: {name}"
        for name, path in classes.items()
        if name not in looks.keys() | HOOKS
        and not any(look.startswith(name) for look in looks if name in beginnings)
    }
    assert not bare, "a sheet of portal/static/css must define these, or HOOKS name them"
    unused = {
        f"{sheet}: {name}"
        for name, sheet in looks.items()
        if name not in classes.keys() | GIVEN_BY_HTMX and not name.startswith(beginnings or "?")
    }
    assert not unused, "no template or script uses these"


def test_what_is_found_out_of_templates() -> None:
    text = "card {{ 'a b' if x else \"c\" }} state-{{ tone }}{% if y %} on{% endif %}"
    assert set(named_by(text)) == {"card", "a", "b", "c", "state-", "on"}


@pytest.mark.parametrize("sheet", list_sheets(), ids=lambda sheet: sheet.name)
def test_looks_are_made_of_tokens(sheet: Path) -> None:
    """Every colour, size of type and distance; print.css says which colours are ink."""
    text = rules(sheet)
    tokens = re.findall(r"(--[\w-]+):", rules(SHEETS / "tokens.css"))
    assert set(re.findall(r"var\((--[\w-]+)", text)) <= set(tokens)
    if sheet.name == "tokens.css":
        return
    if sheet.name != "print.css":
        assert not re.findall(r"#[0-9a-f]{3,8}\b(?![^{]*{)|rgb\(|hsl\(|light-dark\(", text)
    assert not re.findall(r"font-size: [\d.]+(?:rem|px)", text)
    free = [line for line in DISTANCE.findall(text) if "calc" not in line and FREE.search(line)]
    assert not free


def test_every_token_is_used() -> None:
    everything = "".join(rules(sheet) for sheet in list_sheets())
    tokens = re.findall(r"(--[\w-]+):", rules(SHEETS / "tokens.css"))
    unused = {token for token in tokens if f"var({token})" not in everything}
    assert not unused


def test_a_first_page_loads_little(admin: FlaskClient, acme: Place) -> None:
    page = admin.get(acme.url()).text
    for kind, address in (
        ("sheets", r'<link rel="stylesheet" href="([^"]+)"'),
        ("scripts", r'<script[^>]* src="([^"]+)"'),
    ):
        found = re.findall(address, page)
        assert 1 <= len(found) <= 2, kind
        answers = [admin.get(each, headers={"Accept-Encoding": "gzip"}) for each in found]
        assert {answer.status_code for answer in answers} == {200}
        assert sum(len(answer.data) for answer in answers) <= BUDGET, kind
