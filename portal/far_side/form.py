"""The form by which a person says where a far side is and how it is reached."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from portal.egress import Accepted, Envelope, Limits, SmtpServer, Stream

Settings = Mapping[str, Any]
Secrets = Mapping[str, str]


class Way(Protocol):
    """The part of `portal.egress.Gateway` that far sides use."""

    def stream(
        self, method: str, url: str, *, headers: Mapping[str, str], data: bytes, limits: Limits
    ) -> AbstractContextManager[Stream]: ...

    def send_mail(self, server: SmtpServer, envelope: Envelope, *, limits: Limits) -> Accepted: ...

    def sign_in_to_mail(self, server: SmtpServer, *, limits: Limits) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of a form. Values are text; of a checkbox a bool."""

    name: str
    label: str
    help: str = ""
    """What to enter, and where at the far side it is found."""
    input: str = "text"
    """`text`, `url`, `email`, `number`, `password`, `textarea`, `select` or `checkbox`."""
    is_secret: bool = False
    """Kept in the vault and never shown: an address with a token in it is one as well."""
    is_required: bool = True
    choices: Sequence[tuple[str, str]] = ()
    """Value and label, of a `select`."""
    default: str | bool = ""
    placeholder: str = ""
    longest: int = 1000
    names_host: bool = False
    """It says where the far side is, and so where its secrets are sent."""
    group: str = ""
    """Fields in a row with the same one are shown together, folded up under its words."""


class FarSideKind(Protocol):
    """A kind of far side, in a folder of its own. It keeps nothing between two calls."""

    @property
    def name(self) -> str:
        """The name of its folder."""

    @property
    def label(self) -> str:
        """Its name for people."""

    @property
    def about(self) -> str:
        """What it is and what is needed of it, in a sentence or two."""

    @property
    def help_url(self) -> str:
        """The far side's own page on how to set it up; empty when there is none."""

    @property
    def fields(self) -> Sequence[Field]: ...


class Rejected(Exception):
    """A field's value cannot be used. `problems`: field name -> a sentence for people."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__(" ".join(problems.values()))
        self.problems = problems


def list_missing(fields: Iterable[Field], secrets: Secrets) -> list[str]:
    """Labels of secrets that are needed and not there."""
    return [
        each.label
        for each in fields
        if each.is_secret and each.is_required and each.name not in secrets
    ]
