"""The brake: a run that would take too many assets away waits for a person.

A wrong mapping, a half-answered listing, a key that lost a permission: all of them look like
many computers that went, moved or were re-installed at once. Pure, on numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from portal.wording import join_words, plural

MOST_NAMED = 3
"""Clients that the sentence names."""


@dataclass(frozen=True, slots=True)
class BrakeSettings:
    """More than the larger of the two is too many."""

    least: int = 5
    percent: int = 20


@dataclass(frozen=True, slots=True)
class ClientChanges:
    """What a run would do to the assets that a client has now: one that would leave it for
    another client is its `moved`."""

    name: str
    assets: int
    """How many it has, without the retired ones."""
    missing: int = 0
    moved: int = 0
    relinked: int = 0

    @property
    def total(self) -> int:
        return self.missing + self.moved + self.relinked


class BrakeVerdict(StrEnum):
    GO = "go"
    HELD = "held"
    """None of the missing, moved and relinked is applied; the run ends `held` with its plan."""
    NOTHING_LISTED = "nothing_listed"
    """None is missing: a listing that shrinks to nothing is no evidence, and no plan either."""


@dataclass(frozen=True, slots=True)
class Brake:
    verdict: BrakeVerdict
    reason: str | None = None
    """The message for people; None for GO."""
    clients: tuple[int, ...] = ()
    """Of which clients it would be too many; none where only the connection's sum is."""


_GO = Brake(BrakeVerdict.GO)


def judge_changes(
    clients: Mapping[int, ClientChanges], listed: int, settings: BrakeSettings
) -> Brake:
    """Whether the missing, moved and relinked of one run are applied.

    `clients` holds every client with an asset of the connection, by id; `listed` is how many
    agents the complete listing held.
    """
    missing = sum(client.missing for client in clients.values())
    if not listed and missing:
        return Brake(
            BrakeVerdict.NOTHING_LISTED,
            "Tactical lists no agent at all. No asset was marked as missing.",
        )
    over = tuple(sorted(id for id, each in clients.items() if _is_too_many(each, settings)))
    whole = _sum(clients)
    if over:
        names = [_describe_share(clients[id]) for id in over]
        return Brake(BrakeVerdict.HELD, _describe_held(whole, names, settings), over)
    if _is_too_many(whole, settings):
        return Brake(BrakeVerdict.HELD, _describe_held(whole, [_describe_share(whole)], settings))
    return _GO


def judge_gone_organizations(gone: int, known: int, listed: int, settings: BrakeSettings) -> Brake:
    """The same for organizations that Tactical no longer lists, of so many `known` until now."""
    if not listed and gone:
        return Brake(
            BrakeVerdict.NOTHING_LISTED,
            "Tactical lists no organization at all. None was marked as gone.",
        )
    if not _exceeds(gone, known, settings):
        return _GO
    return Brake(
        BrakeVerdict.HELD,
        f"Tactical no longer lists {gone:,} of {known:,} organizations, which is more than "
        f"{_describe_limit(settings)}. They stay as they are until a person decides.",
    )


def _is_too_many(changes: ClientChanges, settings: BrakeSettings) -> bool:
    return _exceeds(changes.total, changes.assets, settings)


def _exceeds(count: int, of: int, settings: BrakeSettings) -> bool:
    return count > settings.least and count * 100 > settings.percent * of


def _sum(clients: Mapping[int, ClientChanges]) -> ClientChanges:
    each = clients.values()
    return ClientChanges(
        "the connection",
        assets=sum(client.assets for client in each),
        missing=sum(client.missing for client in each),
        moved=sum(client.moved for client in each),
        relinked=sum(client.relinked for client in each),
    )


def _describe_share(changes: ClientChanges) -> str:
    return f"{changes.total:,} of the {changes.assets:,} assets of {changes.name}"


def _describe_held(whole: ClientChanges, shares: list[str], settings: BrakeSettings) -> str:
    counts = {
        "mark {} as missing": whole.missing,
        "move {}": whole.moved,
        "relink {}": whole.relinked,
    }
    actions = [text.format(plural(count, "asset")) for text, count in counts.items() if count]
    named = shares[:MOST_NAMED]
    if rest := len(shares) - len(named):
        named.append(f"those of {plural(rest, 'more client')}")
    return (
        f"This run would {join_words(actions)}. That affects {join_words(named)}, which is more "
        f"than {_describe_limit(settings)}. None of these changes was applied: a person decides."
    )


def _describe_limit(settings: BrakeSettings) -> str:
    return f"{settings.least:,} and more than {settings.percent} %"
