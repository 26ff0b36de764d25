"""Help: the documents that belong to this version, for whoever is signed in."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from flask import Blueprint, Flask, render_template, url_for
from flask.typing import ResponseReturnValue

from portal.errors import NotFound
from portal.web.guard import find_user, send_to_sign_in
from portal.web.help.markdown import list_parts, render, title_of
from portal.web.help.topics import find_topic
from portal.web.input import check_input

PACKAGE = Path(__file__).resolve().parents[2]

FOR_DEVELOPERS = {"architecture", "design-system"}

help_room = Blueprint("help", __name__, url_prefix="/help")
help_room.before_request(check_input)


def init_app(app: Flask) -> None:
    app.jinja_env.globals.update(find_help_topic=find_topic)


@help_room.get("/<document>")
def show(document: str) -> ResponseReturnValue:
    if find_user() is None:
        return send_to_sign_in()
    text = read_documents().get(document)
    if text is None:
        raise NotFound("There is no such page of help.")
    title, _, rest = text.partition("\n")
    return render_template(
        "help/document.html",
        title=title_of(title),
        body=render(rest, _resolve),
        parts=list_parts(rest),
        documents=list_titles(),
        shown=document,
    )


@cache
def list_titles() -> list[tuple[str, str]]:
    """Of what is written for whoever works with the portal: name and title, by title."""
    titles = {name: title_of(text) for name, text in read_documents().items()}
    return sorted(
        (each for each in titles.items() if each[0] not in FOR_DEVELOPERS), key=lambda each: each[1]
    )


@cache
def read_documents() -> dict[str, str]:
    """By name. The folder stands in the package where a wheel was installed, else beside it."""
    folder = next(each for each in (PACKAGE / "docs", PACKAGE.parent / "docs") if each.is_dir())
    return {path.stem: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.md"))}


def _resolve(link: str) -> str | None:
    path, _, heading = link.partition("#")
    if path.startswith(("http://", "https://")):
        return link
    name = path.removesuffix(".md")
    if path and (not path.endswith(".md") or name not in read_documents()):
        return None
    at = url_for("help.show", document=name) if path else ""
    return f"{at}#{heading}" if heading else at
