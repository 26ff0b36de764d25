"""The form of a far side as it was sent: what of it is stored, and what the vault keeps."""

from __future__ import annotations

from collections.abc import Collection, Container, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy.orm import Session

from portal.db import Base
from portal.errors import PortalError, SecretUnreadable
from portal.far_side.form import Field, list_missing
from portal.vault import find_secret, forget_secrets, store_secret

TARGET = "target"
"""Beside the fields of the kind: where it leads, as may be shown."""
LONGEST_NAME = 100
ANOTHER_HOST = "Enter it again: the one that is kept was entered for another server."


class BadFields(PortalError):
    """`problems`: field of the form -> a sentence for people."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__(" ".join(problems.values()))
        self.problems = problems


@dataclass(frozen=True, slots=True, kw_only=True)
class Entered:
    """A form as it was sent. `values` are of the kind's fields, secrets among them; a secret that
    is empty keeps the one that is stored."""

    name: str
    values: Mapping[str, Any] = field(repr=False)
    forgotten: Collection[str] = ()
    """Secrets that are to be deleted, where none is entered in their place."""

    def list_secrets(self, fields: Sequence[Field]) -> list[str] | None:
        """Names of those that were entered, for the audit trail."""
        return [each.name for each in fields if each.is_secret and self.values.get(each.name)]


@dataclass(slots=True)
class Sorted:
    """What was entered, with what is kept. `problems`: what cannot be used, by field."""

    settings: dict[str, Any] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict, repr=False)
    problems: dict[str, str] = field(default_factory=dict)


def sort_entered(
    fields: Sequence[Field],
    entered: Entered,
    settings: Mapping[str, Any],
    stored: Mapping[str, str],
) -> Sorted:
    """`settings` and `stored` secrets: as they were before."""
    kept = {name: secret for name, secret in stored.items() if name not in entered.forgotten}
    found = _split(fields, entered, kept)
    typed = {each for each, value in entered.values.items() if value}
    before, after = {**settings, **stored}, found.settings | found.secrets
    found.problems |= _find_carried_off(fields, before, after, typed)
    name = entered.name.strip()
    if not name or len(name) > LONGEST_NAME:
        found.problems["name"] = f"Enter a name of at most {LONGEST_NAME} characters."
    return found


def read_secrets(owner: Base, fields: Sequence[Field]) -> dict[str, str]:
    """By the name of the field. For a call alone, never to be shown. Raises SecretUnreadable."""
    found = {each.name: find_secret(owner, each.name) for each in fields if each.is_secret}
    return {name: secret for name, secret in found.items() if secret is not None}


def try_secrets(owner: Base, fields: Sequence[Field]) -> tuple[dict[str, str], str | None]:
    """The same; and what is wrong with them, in words."""
    try:
        found = read_secrets(owner, fields)
    except SecretUnreadable as error:
        return {}, error.message
    missing = list_missing(fields, found)
    return found, f"{missing[0]} is missing. Enter it in the settings." if missing else None


def keep_secrets(
    session: Session, owner: Base, stored: Mapping[str, str], secrets: Mapping[str, str]
) -> None:
    """In place of those that are `stored`."""
    for each, secret in secrets.items():
        if secret != stored.get(each):
            store_secret(session, owner, each, secret)
    if gone := stored.keys() - secrets.keys():
        forget_secrets(session, owner, *gone)


def _split(fields: Sequence[Field], entered: Entered, kept: Mapping[str, str]) -> Sorted:
    """And what is missing, too long or not among the choices."""
    found = Sorted(secrets=dict(kept))
    for each in fields:
        value = entered.values.get(each.name)
        if each.input == "checkbox":
            found.settings[each.name] = bool(value)
            continue
        text = str(value or "").strip().replace("\r\n", "\n")
        problem = _find_problem(each, text or kept.get(each.name, ""))
        if problem:
            found.problems[each.name] = problem
        elif not each.is_secret:
            found.settings[each.name] = text
        elif text:
            found.secrets[each.name] = text
    return found


def _find_problem(each: Field, text: str) -> str:
    if each.is_required and not text:
        return f"Fill in “{each.label}”."
    if len(text) > each.longest:
        return f"Use at most {each.longest:,} characters."
    if each.choices and text not in dict(each.choices):
        return "Choose one from the list."
    if each.input != "textarea" and "\n" in text:
        return "Enter a single line."
    return ""


def _find_carried_off(
    fields: Sequence[Field],
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    entered: Container[str],
) -> dict[str, str]:
    """Field -> what to do, of secrets that are kept although the far side is another host by now:
    else whoever changes that has them sent there without knowing them. `entered`: those that were
    entered now."""
    hosts = [each.name for each in fields if each.names_host]
    if all(_read_host(before.get(name)) == _read_host(after.get(name)) for name in hosts):
        return {}
    kept = (each.name for each in fields if each.is_secret and each.name not in hosts)
    return {
        name: ANOTHER_HOST
        for name in kept
        if before.get(name) and after.get(name) and name not in entered
    }


def _read_host(address: Any) -> str:
    """Of a URL, or a name as it stands."""
    text = str(address or "").strip()
    return (urlsplit(text).hostname or text).lower()
