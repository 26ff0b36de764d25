"""What each kind of channel is: the fields of its form, its check, and how it sends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from portal.channels.telling import Telling
from portal.egress import Accepted, Envelope, Limits, SmtpServer, Stream
from portal.wording import join_words

Settings = Mapping[str, Any]
Secrets = Mapping[str, str]
Templates = Mapping[str, str]


class Way(Protocol):
    """The part of `portal.egress.Gateway` that channels use."""

    def stream(
        self, method: str, url: str, *, headers: Mapping[str, str], data: bytes, limits: Limits
    ) -> AbstractContextManager[Stream]: ...

    def send_mail(self, server: SmtpServer, envelope: Envelope, *, limits: Limits) -> Accepted: ...


class Result(StrEnum):
    SENT = "sent"
    REFUSED = "refused"
    """For good: the same message would be refused again."""
    FAILED = "failed"
    """It did not arrive; later it may."""
    LOST = "lost"
    """It went out and no answer came: it may have arrived."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """`answer` says in words what the far side said. It holds no secret."""

    result: Result
    answer: str
    thread: Mapping[str, Any] = field(default_factory=dict)
    """For the `thread` of later messages about the same occurrence; plain JSON, no secret."""
    retry_after: float | None = None
    """Seconds that the far side asks to be left alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of a channel's form. Values are text; of a checkbox a bool."""

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
    """It says where the channel leads, and so where its secrets are sent."""


class Rejected(Exception):
    """A field's value cannot be used. `problems`: field name -> a sentence for people."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__(" ".join(problems.values()))
        self.problems = problems


class ChannelKind(Protocol):
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

    @property
    def parts(self) -> Sequence[str]:
        """The parts of a message that can be worded by templates; see `templating.PARTS`."""

    @property
    def most_per_minute(self) -> int:
        """A default below what the far side takes before it refuses."""

    def check(self, settings: Settings, secrets: Secrets, templates: Templates) -> str:
        """Where it leads, for people and without a secret: a host, a mail address.

        What is required is there, and each template by itself is good. Raises Rejected.
        """

    def takes_key(self, settings: Settings) -> bool:
        """Whether the far side takes a message of a key it has seen for the same one, so that a
        repetition after a lost answer makes no double."""

    def preview(self, settings: Settings, telling: Telling, /) -> str:
        """What the far side would show, for a person who words it."""

    def send(
        self, gateway: Way, settings: Settings, secrets: Secrets, telling: Telling, /
    ) -> Outcome:
        """Never raises for what the far side, the network or a template does.

        Answers come within 30 seconds, on the clock of the wall.
        """


def list_missing(kind: ChannelKind, secrets: Secrets) -> list[str]:
    """Labels of secrets that are needed and not there."""
    return [
        each.label
        for each in kind.fields
        if each.is_secret and each.is_required and each.name not in secrets
    ]


def find_missing(kind: ChannelKind, secrets: Secrets) -> Outcome | None:
    """Why nothing can be sent: a secret that is needed is not there, or cannot be read any more."""
    missing = list_missing(kind, secrets)
    if not missing:
        return None
    fields = join_words([f"“{label}”" for label in missing])
    return Outcome(result=Result.FAILED, answer=f"Change the channel and enter {fields} again.")
