"""Which of some names may be the same company as another: found by what they say, with how sure
that is and why. Pure: knows neither Flask nor the database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Generic, TypeVar

from portal.company_names import CompanyName, read_company
from portal.services.similar_names import SimilarNames

Key = TypeVar("Key", bound=Hashable)
Other = TypeVar("Other", bound=Hashable)

SOON = 300
"""So many names are compared with all others while somebody waits."""


class Reason(StrEnum):
    """The surest first."""

    SAME = "same"
    SPELLING = "spelling"
    """The same but for case, accents and punctuation."""
    FORM = "form"
    """The same, and one of them does not tell its legal form."""
    SEVERAL = "several"
    """The same, and so are others on either side."""
    OTHER_FORM = "other_form"
    """The same, but for two legal forms that differ."""
    SIMILAR = "similar"
    PART = "part"
    """One is the beginning or another part of the other."""
    INITIALS = "initials"
    """One is made of the first letters of the other."""


_REASONS = list(Reason)
SURE = (Reason.SAME, Reason.SPELLING, Reason.FORM)
"""What people are asked to accept without a look at each."""
REASONS = {
    Reason.SAME: "Same name",
    Reason.SPELLING: "Same name, spelt another way",
    Reason.FORM: "Same but for the legal form",
    Reason.SEVERAL: "Several have this name",
    Reason.OTHER_FORM: "Same name, another legal form",
    Reason.SIMILAR: "Similar name",
    Reason.PART: "One name holds the other",
    Reason.INITIALS: "Initials",
}
"""As people read them."""
_SCORES = {
    Reason.SAME: 100,
    Reason.SPELLING: 99,
    Reason.FORM: 97,
    Reason.SEVERAL: 92,
    Reason.OTHER_FORM: 90,
}


@dataclass(frozen=True, slots=True)
class Suggestion(Generic[Key]):
    """`score`: 1 to 100."""

    key: Key
    score: int
    reason: Reason

    @property
    def is_sure(self) -> bool:
        return self.reason in SURE


def suggest(
    names: Mapping[Key, str], among: Mapping[Other, str], besides: Iterable[str] = ()
) -> dict[Key, Suggestion[Other]]:
    """For each of the names the one `among` others that it most likely is, if any is likely. Sure
    is only what is the same and alone in that on both sides: `besides` are further names of the
    first side, for which nothing is looked."""
    return suggest_some(names, among, besides, names)[0]


def suggest_some(
    names: Mapping[Key, str],
    among: Mapping[Other, str],
    besides: Iterable[str],
    wanted: Collection[Key],
) -> tuple[dict[Key, Suggestion[Other]], bool]:
    """All that are the same; what is alike of those that are `wanted`, and of all others where that
    is soon done, or was done before. And whether nothing is left to look for."""
    keys, others = list(among), _index(tuple(among.values()))
    read = {key: read_company(name) for key, name in names.items()}
    often = _count([*read.values(), *map(read_company, besides)])
    found, rest = {}, []
    for key, name in names.items():
        best = others.find_same(name, read[key], often)
        if best is not None:
            found[key] = Suggestion(keys[best.key], best.score, best.reason)
        else:
            rest.append(key)
    unknown = [key for key in rest if names[key] not in others.known]
    left = set(unknown) - set(wanted) if len(unknown) > SOON else set()
    for key in rest:
        if key not in left and (best := others.find_similar(names[key], read[key])) is not None:
            found[key] = Suggestion(keys[best.key], best.score, best.reason)
    return found, not left


class _Index:
    """Names to be found among."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = names
        self.read = [read_company(name) for name in names]
        self.often = _count(self.read)
        self.by_key: dict[str, list[int]] = {}
        for number, read in enumerate(self.read):
            for key in read.keys:
                self.by_key.setdefault(key, []).append(number)
        self.similar = SimilarNames(self.read)
        self.known: dict[str, Suggestion[int] | None] = {}

    def find_same(
        self, name: str, read: CompanyName, often: Mapping[str, int]
    ) -> Suggestion[int] | None:
        if same := {number for key in read.keys if key for number in self.by_key.get(key, ())}:
            return self._choose(name, read, sorted(same), often)
        return None

    def find_similar(self, name: str, read: CompanyName) -> Suggestion[int] | None:
        """Of a name that none is the same as."""
        if name not in self.known:
            likely = self.similar.find(read)
            self.known[name] = likely and Suggestion(likely[0], likely[1], Reason(likely[2]))
        return self.known[name]

    def _choose(
        self, name: str, read: CompanyName, same: Sequence[int], often: Mapping[str, int]
    ) -> Suggestion[int]:
        """The nearest of those that are the same but for the form."""
        reason, number = min((self._compare(name, read, each), each) for each in same)
        found = _REASONS[reason]
        keys = {*read.keys, *self.read[number].keys}
        is_alone = all(often.get(key, 0) <= 1 and self.often.get(key, 0) <= 1 for key in keys)
        if found in SURE and not is_alone:
            found = Reason.SEVERAL
        return Suggestion(number, _SCORES[found], found)

    def _compare(self, name: str, read: CompanyName, number: int) -> int:
        """The place of the reason in their order."""
        other = self.read[number]
        if " ".join(name.casefold().split()) == " ".join(self.names[number].casefold().split()):
            reason = Reason.SAME
        elif read.forms == other.forms:
            reason = Reason.SPELLING
        elif read.forms <= other.forms or other.forms <= read.forms:
            reason = Reason.FORM
        else:
            reason = Reason.OTHER_FORM
        return _REASONS.index(reason)


@lru_cache(maxsize=32)
def _index(names: tuple[str, ...]) -> _Index:
    """Made once for names that stay the same: to compare thousands takes a while."""
    return _Index(names)


def _count(names: Iterable[CompanyName]) -> Counter[str]:
    return Counter(key for name in names for key in name.keys)
