"""The files that pages are made of. Style sheets and scripts are written in many files and sent as
one of each, compressed: a page on a bad network waits for few answers, and for few bytes."""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

from flask import Flask, Response, current_app, g, request, url_for
from werkzeug.exceptions import NotFound
from werkzeug.security import safe_join

STATIC = Path(__file__).resolve().parent.parent / "static"
SHEETS, SCRIPTS, VENDOR = STATIC / "css", STATIC / "js", STATIC / "vendor"

VENDORED_SCRIPTS = ("htmx.min.js", "idiomorph-ext.min.js")
IMPORT = re.compile(r'^import (?:(\{[^}]*\}) from )?"\./(\w+)\.js";\n', re.MULTILINE)
EXPORT = re.compile(r"^export (?=(?:async function|function|class|const) (\w+))", re.MULTILINE)
OTHER_SYNTAX = re.compile(r"^(?:import|export)\b.*", re.MULTILINE)


def init_app(app: Flask) -> None:
    app.view_functions["static"] = send


def static_url(filename: str) -> str:
    """The address of a file, with its hash: the file may be cached for ever.

    A page asks for that of its icons a hundred times.
    """
    known: dict[str, str] = g.setdefault("static_urls", {})
    if filename not in known:
        known[filename] = url_for("static", filename=filename, v=_digest(_read(filename)))
    return known[filename]


def send(filename: str) -> Response:
    """In place of Flask's own view, which knows neither what is made of many files nor gzip."""
    try:
        content = _read(filename)
    except FileNotFoundError:
        raise NotFound from None
    kind = mimetypes.guess_type(filename)[0] or "application/octet-stream"
    answer = Response(content, mimetype=kind)
    tag = _digest(content)
    if not kind.startswith("image/") or kind == "image/svg+xml":
        answer.vary.add("Accept-Encoding")
        if request.accept_encodings["gzip"]:
            answer.set_data(_squeeze(content))
            answer.content_encoding = "gzip"
            tag += "-gzip"
    answer.set_etag(tag)
    answer.make_conditional(request)
    return answer


def _read(filename: str) -> bytes:
    """Once; while somebody works on the files, each time."""
    if current_app.debug:
        _make.cache_clear()
        _read_file.cache_clear()
    if filename in MADE:
        return _make(filename)
    path = safe_join(str(STATIC), filename)  # one path, however it is written
    if path is None or not Path(path).is_file():
        raise FileNotFoundError(filename)
    return _read_file(path)


@cache
def _make(filename: str) -> bytes:
    return MADE[filename]().encode()


@cache
def _read_file(path: str) -> bytes:
    return Path(path).read_bytes()


@cache
def _squeeze(content: bytes) -> bytes:
    return gzip.compress(content, mtime=0)


@cache
def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]


def list_sheets() -> list[Path]:
    """In the order of the cascade: tokens, elements, components, what one room adds, and what holds
    for all of them where colours are forced, and on paper."""
    first = [SHEETS / "tokens.css", SHEETS / "reset.css"]
    last = [SHEETS / "forced.css", SHEETS / "print.css"]
    rooms = [each for each in sorted(SHEETS.glob("*.css")) if each not in first + last]
    return [*first, *sorted((SHEETS / "components").glob("*.css")), *rooms, *last]


def make_sheet() -> str:
    return "\n".join(sheet.read_text("utf-8") for sheet in list_sheets())


def make_script() -> str:
    """What others made, then our modules: each within a function of its own, after those that it
    imports, as a browser would run them."""
    vendored = [(VENDOR / name).read_text("utf-8") for name in VENDORED_SCRIPTS]
    modules: dict[str, str] = {}
    _add_module("app", modules)
    ours = '(() => {\n"use strict";\n' + "".join(modules.values()) + "})();\n"
    return ";\n".join([*vendored, ours])


def _add_module(name: str, modules: dict[str, str]) -> None:
    """Unless it is there already. (Modules that import each other would have no order.)"""
    if name in modules:
        return
    text = (SCRIPTS / f"{name}.js").read_text("utf-8")
    for _, imported in IMPORT.findall(text):
        _add_module(imported, modules)
    exported = ", ".join(EXPORT.findall(text))
    text = EXPORT.sub("", IMPORT.sub(_take, text))
    if other := OTHER_SYNTAX.search(text):
        raise ValueError(f"{name}.js imports or exports in a way of its own: {other[0]}")
    modules[name] = f"const _{name} = (() => {{\n{text}return {{ {exported} }};\n}})();\n"


def _take(found: re.Match[str]) -> str:
    names, module = found.groups()
    return f"const {names.replace(' as ', ': ')} = _{module};\n" if names else ""


MADE: dict[str, Callable[[], str]] = {"portal.css": make_sheet, "portal.js": make_script}
