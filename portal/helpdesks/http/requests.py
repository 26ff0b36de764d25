"""What is asked of the helpdesk: paths and bodies, filled in and checked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from portal.far_side.escaping import for_json
from portal.far_side.form import Settings
from portal.far_side.templating import BadTemplate, check_template, fill
from portal.helpdesks.http.fields import MAY_BE_EMPTY, SAMPLES, VALUES

BAD_PATH = "With its values filled in, it is no path: use plain characters without spaces, such as "
NO_JSON = (
    "With its values filled in, some of which may be empty, the body is no JSON: {}. Put double "
    "quotes around values."
)


@dataclass(frozen=True, slots=True)
class Call:
    method: str
    path: str
    """With its query, without a slash before it."""
    data: Any
    """None for no body."""


def make_call(settings: Settings, verb: str, values: Mapping[str, str]) -> Call:
    """Raises BadTemplate."""
    return Call(
        settings[f"{verb}_method"],
        _make_path(settings[f"{verb}_path"], values),
        _make_data(settings.get(f"{verb}_body", ""), values),
    )


def find_problems(settings: Settings, verb: str) -> dict[str, str]:
    """By field, what of a verb's request cannot be used."""
    problems = {}
    for part, make in (("path", _make_path), ("body", _make_data)):
        source = settings.get(f"{verb}_{part}", "")
        try:
            check_template(source, VALUES[verb])
            make(source, sample(verb))
            make(source, sample(verb) | dict.fromkeys(_list_optional(verb), ""))
        except BadTemplate as error:
            problems[f"{verb}_{part}"] = str(error)
    return problems


def _list_optional(verb: str) -> list[str]:
    return [name for name in VALUES[verb] if name in MAY_BE_EMPTY]


def sample(verb: str) -> dict[str, str]:
    return {name: SAMPLES[name] for name in VALUES[verb]}


def fill_address(source: str, reference: str) -> str:
    """Of a ticket's page. Raises BadTemplate."""
    return fill(source, {"reference": reference}, _for_url)


def _make_path(source: str, values: Mapping[str, str]) -> str:
    path = fill(source, values, _for_url).lstrip("/")
    is_plain = path.isascii() and path.isprintable() and not set(path) & set(" #\\")
    if not is_plain or ".." in urlsplit(f"/{path}").path.split("/"):
        raise BadTemplate(f"{BAD_PATH}tickets/{{{{ reference }}}}.")
    return path


def _make_data(source: str, values: Mapping[str, str]) -> Any:
    body = fill(source, values, for_json)
    if not body:
        return None
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadTemplate(NO_JSON.format(error)) from None


def _for_url(text: str) -> str:
    return quote(text, safe="")
