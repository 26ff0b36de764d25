"""The files that the pages are made of: vendored as recorded, and fit for the strict policy."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from flask.testing import FlaskClient

from portal.web import static_files

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


@pytest.mark.parametrize("name", ["portal.css", "portal.js", "vendor/icons.svg"])
def test_a_file_is_compressed_for_whoever_reads_that(http: FlaskClient, name: str) -> None:
    plain = http.get(f"/static/{name}")
    packed = http.get(f"/static/{name}", headers={"Accept-Encoding": "gzip, br"})
    refused = http.get(f"/static/{name}", headers={"Accept-Encoding": "gzip;q=0"})

    assert gzip.decompress(packed.data) == plain.data == refused.data
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert plain.headers["Vary"] == packed.headers["Vary"] == "Accept-Encoding"
    assert plain.headers["ETag"] != packed.headers["ETag"]
    kept = {"If-None-Match": packed.headers["ETag"], "Accept-Encoding": "gzip"}
    assert http.get(f"/static/{name}", headers=kept).status_code == 304


@pytest.mark.parametrize("name", ["none.css", "css", "../app.py", "css/../../app.py"])
def test_nothing_else_is_given_away(http: FlaskClient, name: str) -> None:
    assert http.get(f"/static/{name}").status_code == 404


def test_a_module_stands_after_those_that_it_imports(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(static_files, "SCRIPTS", tmp_path)
    monkeypatch.setattr(static_files, "VENDORED_SCRIPTS", ())
    (tmp_path / "app.js").write_text('import { one as first } from "./b.js";\nimport "./a.js";\n')
    (tmp_path / "a.js").write_text('import { one } from "./b.js";\nconst x = one;\n')
    (tmp_path / "b.js").write_text("export const one = 1;\nexport function two() {}\n")
    script = static_files.make_script()
    assert script.index("const _b") < script.index("const _a ") < script.index("const _app")
    assert "return { one, two };" in script
    assert "const { one: first } = _b;" in script

    (tmp_path / "a.js").write_text("export default 1;\n")
    with pytest.raises(ValueError, match=r"a\.js"):
        static_files.make_script()
