"""The files that the pages are made of: vendored as recorded, and fit for the strict policy."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

PORTAL = Path(__file__).parents[3] / "portal"
STATIC = PORTAL / "static"
VENDOR = STATIC / "vendor"
PRIVATE = PORTAL / "vendor"
TEMPLATES = sorted((PORTAL / "templates").rglob("*.html"))

SVG = "{http://www.w3.org/2000/svg}"


def icons_in_sprite() -> set[str]:
    sprite = ElementTree.parse(VENDOR / "icons.svg").getroot()  # noqa: S314  # our own file
    return {symbol.attrib["id"] for symbol in sprite.iter(f"{SVG}symbol")}


def manifest(folder: Path) -> list[dict[str, str]]:
    entries: list[dict[str, str]] = json.loads((folder / "manifest.json").read_text("utf-8"))
    return entries


@pytest.mark.parametrize(
    ("file", "entry"),
    [(folder / entry["file"], entry) for folder in (VENDOR, PRIVATE) for entry in manifest(folder)],
    ids=lambda value: value.name if isinstance(value, Path) else "",
)
def test_vendored_file_is_the_recorded_one(file: Path, entry: dict[str, str]) -> None:
    content = file.read_bytes()

    assert hashlib.sha256(content).hexdigest() == entry["sha256"]
    assert entry["version"]
    assert entry["licence"] in {"0BSD", "MIT"}


@pytest.mark.parametrize("folder", [VENDOR, PRIVATE], ids=["static", "private"])
def test_every_vendored_file_is_recorded(folder: Path) -> None:
    recorded = {entry["file"] for entry in manifest(folder)} | {"manifest.json"}

    assert {path.name for path in folder.iterdir()} == recorded


def test_htmx_stays_on_the_pinned_version() -> None:
    versions = {entry["version"] for entry in manifest(VENDOR) if entry["name"] == "htmx.org"}

    assert versions == {"2.0.11"}


def test_sprite_holds_the_listed_icons() -> None:
    assert icons_in_sprite() == set((STATIC / "icons.txt").read_text("utf-8").split())


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_template_names_only_icons_of_the_sprite(path: Path) -> None:
    used = re.findall(r'(?:\bicon\(|icon_name=|ui\.empty\()"([a-z0-9-]+)"', path.read_text("utf-8"))

    assert set(used) <= icons_in_sprite()


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_template_has_nothing_inline(path: Path) -> None:
    text = path.read_text("utf-8")

    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|hx-on|javascript:", text)
    assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", text))


def test_scripts_keep_nothing_but_the_theme_and_shortcuts() -> None:
    keeping = re.compile("localStorage|sessionStorage|indexedDB|document\\.cookie|caches\\.")
    scripts = (STATIC / "js").glob("*.js")
    assert {path.name for path in scripts if keeping.search(path.read_text("utf-8"))} == {
        "shortcuts.js",
        "theme.js",
    }


def test_style_sheets_and_scripts_load_nothing_from_elsewhere() -> None:
    for path in [*STATIC.rglob("*.css"), *(STATIC / "js").glob("*.js")]:
        text = path.read_text("utf-8").replace("http://www.w3.org", "")

        assert not re.search(r"""(?:url\(|@import|import|fetch\()\s*["']?https?:""", text), path
