"""What the file holds of the forms of far sides: all but secrets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from portal.errors import InvalidInput
from portal.far_side.form import FarSideKind


def list_settings(kind: FarSideKind | None, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Those of its form that are no secrets."""
    names = [each.name for each in kind.fields if not each.is_secret] if kind else []
    return {name: settings[name] for name in names if name in settings}


def check_settings(kind: FarSideKind, settings: Mapping[str, Any]) -> None:
    """Each by itself. Raises InvalidInput."""
    known = {each.name: each for each in kind.fields if not each.is_secret}
    for name, value in settings.items():
        field = known.get(name)
        if field is None:
            raise InvalidInput(f"“{name}” is no setting of {kind.label}, or a secret.", "file")
        if (field.input == "checkbox") is not isinstance(value, bool):
            raise InvalidInput(f"“{name}” has a value that cannot be used.", field="file")
        if isinstance(value, str) and len(value) > field.longest:
            raise InvalidInput(f"“{name}” may have {field.longest} characters.", field="file")
        if field.choices and value not in dict(field.choices):
            raise InvalidInput(f"“{name}” cannot be “{value}”.", field="file")


def fill_up(kind: FarSideKind, settings: Mapping[str, Any]) -> dict[str, Any]:
    """With the defaults of the form."""
    return {each.name: each.default for each in kind.fields if not each.is_secret} | dict(settings)


def find_missing(kind: FarSideKind, settings: Mapping[str, Any]) -> dict[str, str]:
    """What the form would not do without, secrets aside."""
    needed = [each for each in kind.fields if each.is_required and not each.is_secret]
    return {each.name: "Enter it." for each in needed if settings[each.name] == ""}


def refuse(problems: Mapping[str, str]) -> None:
    """Raises InvalidInput where there are any."""
    for name, problem in problems.items():
        raise InvalidInput(f"“{name}” cannot be used. {problem}", field="file")
