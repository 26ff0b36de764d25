"""What each kind of channel is: the fields of its form, its check, and how it sends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from portal.channels.telling import Telling
from portal.far_side.form import FarSideKind, Secrets, Settings, Way, list_missing
from portal.wording import join_words

Templates = Mapping[str, str]


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
    put_off: Mapping[str, str] = field(default_factory=dict)
    """Recipients of their own that were refused for now, with the answer: where others were told,
    each is tried again alone; where it is the only one, the far side itself is well."""
    turned_away: Mapping[str, str] = field(default_factory=dict)
    """The same of those that were refused for good."""


class ChannelKind(FarSideKind, Protocol):
    """A kind of far side that is told of alerts."""

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


def find_missing(kind: ChannelKind, secrets: Secrets) -> Outcome | None:
    """Why nothing can be sent: a secret that is needed is not there, or cannot be read any more."""
    missing = list_missing(kind.fields, secrets)
    if not missing:
        return None
    fields = join_words([f"“{label}”" for label in missing])
    return Outcome(result=Result.FAILED, answer=f"Change the channel and enter {fields} again.")
