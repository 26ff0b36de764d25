"""Which of some names may be the same company as another: found by what they say, with how sure
that is and why. Pure: knows neither Flask nor the database."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from math import inf
from time import monotonic
from typing import Generic, NamedTuple, TypeVar

from portal.company_names import CompanyName, fold_company, read_company
from portal.services.similar_names import Likely, SimilarNames

Key = TypeVar("Key", bound=Hashable)
Other = TypeVar("Other", int, str)


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


class Pair(NamedTuple, Generic[Key, Other]):
    """Two names that say the same: whose they are, and the legal forms that they tell."""

    key: Key
    forms: str
    other: Other
    other_forms: str


class SameNames(Generic[Key, Other]):
    """All names of one side that say the same as one of the other."""

    def __init__(self, pairs: Iterable[Pair[Key, Other]]) -> None:
        self.pairs: defaultdict[Key, list[Pair[Key, Other]]] = defaultdict(list)
        self._often: Counter[Other] = Counter()
        for pair in pairs:
            self.pairs[pair.key].append(pair)
            self._often[pair.other] += 1

    def find_sure(self, key: Key) -> Other | None:
        """The other one, where the two are alone in what they say and no form speaks against it."""
        its = self.pairs.get(key, [])
        return its[0].other if self._are_alone(its) and _agree(its[0]) else None

    def suggest(self, key: Key, name: str, names: Mapping[Other, str]) -> Suggestion[Other] | None:
        """The nearest of those that say the same, of equals the first, from how all are spelt."""
        its = self.pairs.get(key)
        if not its:
            return None
        ranked = ((_REASONS.index(_compare(each, name, names)), each.other) for each in its)
        rank, other = min(ranked)
        reason = _REASONS[rank]
        if reason in SURE and not self._are_alone(its):
            reason = Reason.SEVERAL
        return Suggestion(other, _SCORES[reason], reason)

    def _are_alone(self, pairs: list[Pair[Key, Other]]) -> bool:
        return len(pairs) == 1 and self._often[pairs[0].other] == 1


def suggest(names: Mapping[Key, str], among: Mapping[Other, str]) -> dict[Key, Suggestion[Other]]:
    """For each of the names the one `among` others that it most likely is, if any is likely."""
    found = suggest_same(names, among)
    rest = {key: fold_company(name) for key, name in names.items() if key not in found}
    others = {other: fold_company(name) for other, name in among.items()}
    return found | suggest_similar(rest, others)


def suggest_same(
    names: Mapping[Key, str], among: Mapping[Other, str]
) -> dict[Key, Suggestion[Other]]:
    """Those alone that say the same. Sure is only what is alone in that on both sides."""
    same = SameNames(_pair(names, among))
    return {k: its for k, name in names.items() if (its := same.suggest(k, name, among))}


def suggest_similar(
    names: Mapping[Key, str], among: Mapping[Other, str], seconds: float = inf
) -> dict[Key, Suggestion[Other]]:
    """Of names that none is the same as: both by their words, with blanks between. What is not
    looked at within the seconds is looked at when it is asked for again."""
    keys, others = list(among), tuple(among.values())
    known = _remember(others)
    if unknown := set(names.values()) - known.keys():
        asked = {words: words.split() for words in unknown}
        similar = SimilarNames([words.split() for words in others], asked.values())
        until = monotonic() + seconds
        for words, split in asked.items():
            known[words] = similar.find(split)
            if monotonic() > until:
                break
    found = {key: known.get(words) for key, words in names.items()}
    return {
        key: Suggestion(keys[its[0]], its[1], Reason(its[2]))
        for key, its in found.items()
        if its is not None
    }


def _pair(names: Mapping[Key, str], among: Mapping[Other, str]) -> Iterator[Pair[Key, Other]]:
    others = {other: read_company(name) for other, name in among.items()}
    plain: defaultdict[str, list[Other]] = defaultdict(list)
    full: defaultdict[str, list[Other]] = defaultdict(list)
    for other, its in others.items():
        plain[its.plain].append(other)
        full[its.full].append(other)
    for key, name in names.items():
        read: CompanyName = read_company(name)
        same = [*plain.get(read.plain, ()), *full.get(read.full, ())] if read.plain else []
        for other in dict.fromkeys(same):
            yield Pair(key, read.forms, other, others[other].forms)


def _compare(pair: Pair[Key, Other], name: str, names: Mapping[Other, str]) -> Reason:
    if _spell(name) == _spell(names[pair.other]):
        return Reason.SAME
    if pair.forms == pair.other_forms:
        return Reason.SPELLING
    return Reason.FORM if _agree(pair) else Reason.OTHER_FORM


def _spell(name: str) -> str:
    return " ".join(name.casefold().split())


def _agree(pair: Pair[Key, Other]) -> bool:
    """Whether one tells no form that the other does not tell."""
    if pair.forms == pair.other_forms or not pair.forms or not pair.other_forms:
        return True
    one, other = set(pair.forms.split()), set(pair.other_forms.split())
    return one <= other or other <= one


@lru_cache(maxsize=32)
def _remember(_among: tuple[str, ...]) -> dict[str, Likely | None]:
    """What was found among names, as long as they stay the same: to compare thousands takes a
    while."""
    return {}
