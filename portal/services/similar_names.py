"""Names that are alike without being the same: with a typing error, shortened, turned round or
with a word more. Pure: knows neither Flask nor the database."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import chain
from math import log

from rapidfuzz import fuzz, process

LEAST = 74
"""Of 100: what is less alike is not worth a look."""
MOST = 89
"""However alike two are: below all that are the same."""
_SHARED_BY = 40
"""A word that more names share tells none of them apart."""
_COMPARED = 6
_NEAR = 80.0
"""What all letters together must come to, to be compared word by word."""
_START = 4
_SHORT = {
    "bros": "brothers", "gebr": "gebrueder", "intl": "international", "int": "international",
    "mfg": "manufacturing", "mgmt": "management", "svc": "services", "svcs": "services",
    "st": "saint", "ste": "sainte", "assoc": "associates", "dept": "department",
    "natl": "national", "bldg": "building", "ctr": "centre", "hnos": "hermanos",
    "flli": "fratelli", "ets": "etablissements", "univ": "university", "govt": "government",
    "t": "het",
}  # fmt: skip

_SMALL = frozenset({
    *("of", "for", "der", "die", "das", "des", "fur", "van", "het", "de", "la", "le", "les", "du"),
    *("el", "los", "las", "del", "di", "da", "dei", "della", "il"),
})  # fmt: skip
"""Words that initials leave out."""

Words = Sequence[str]
Likely = tuple[int, int, str]
"""The number of the name, a score, and why: similar, part or initials."""


class SimilarNames:
    """Names to be found among, each by its words; and those `asked` for, of whose words alone it is
    noted where they stand."""

    def __init__(self, names: Sequence[Words], asked: Iterable[Words]) -> None:
        self.names = names
        self.joined = ["".join(words) for words in names]
        self.often = Counter(chain.from_iterable(names))
        self.by_start: dict[str, list[int]] = {}
        self.by_word: dict[str, list[int]] = {}
        for words in asked:
            for word in (*words, _initials(words)):
                self.by_start[word[:_START]], self.by_word[word] = [], []
        for number, words in enumerate(names):
            for word in words:
                if (found := self.by_start.get(word[:_START])) is not None:
                    found.append(number)
                    if word in self.by_word:
                        self.by_word[word].append(number)

    @cached_property
    def by_initials(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = defaultdict(list)
        for number, words in enumerate(self.names):
            if len(words) > 1:
                found[_initials(words)].append(number)
        return found

    def find(self, name: Words) -> Likely | None:
        """The likeliest, if there is one."""
        candidates = self._list_candidates(name)
        found = [each for number in candidates if (each := self._compare(name, number))]
        return max(found, key=lambda each: (each[1], -each[0]), default=None)

    def _list_candidates(self, name: Words) -> list[int]:
        shared: Counter[int] = Counter()
        for word in name:
            for numbers in (self.by_word.get(word), self.by_start.get(word[:_START])):
                if numbers and len(numbers) <= _SHARED_BY:
                    for number in numbers:
                        shared[number] += 1
        candidates = dict.fromkeys(number for number, _ in shared.most_common(_COMPARED))
        joined = "".join(name)
        if joined:
            near = process.extract(
                joined, self.joined, scorer=fuzz.ratio, score_cutoff=_NEAR, limit=3
            )
            candidates |= dict.fromkeys(number for _, _, number in near)
        if len(name) == 1:
            candidates |= dict.fromkeys(self.by_initials.get(joined, ()))
        else:
            candidates |= dict.fromkeys(self.by_word.get(_initials(name), ()))
        return list(candidates)

    def _compare(self, name: Words, number: int) -> Likely | None:
        other = self.names[number]
        one_marks, other_marks = _marks(name), _marks(other)
        if one_marks and other_marks and one_marks != other_marks:
            return None  # Branch 1 and Branch 2
        if is_initials(name, other) or is_initials(other, name):
            return number, 80, "initials"
        shorter, longer = sorted((name, other), key=len)
        together = self._weigh_shared(shorter, longer)
        one, two = self._weigh(shorter), self._weigh(longer)
        if not one or not two:
            return None
        words = 2 * together / (one + two)
        letters = fuzz.ratio("".join(shorter), "".join(longer)) / 100
        likeness = max(words, (words + letters) / 2, letters - 0.12)
        reason = "similar"
        if together >= 0.95 * one and len(longer) > len(shorter):
            reason = "part"
            likeness = max(likeness, 0.78)
        if one_marks != other_marks:
            likeness -= 0.08
        score = min(MOST, round(100 * likeness))
        return (number, score, reason) if score >= LEAST else None

    def _weigh(self, words: Words) -> float:
        """The more, the fewer names have them."""
        return sum(log(2 + len(self.names) / (1 + self.often[word])) for word in words)

    def _weigh_shared(self, shorter: Words, longer: Words) -> float:
        """What the words of one that stand in the other are worth, each as far as it does."""
        left, shared = list(longer), 0.0
        for word in shorter:
            best = word if word in left else max(left, key=lambda each: _alike(word, each))
            if likeness := _alike(word, best):
                left.remove(best)
                shared += likeness * self._weigh((word, best)) / 2
        return shared


def is_initials(short: Words, long: Words) -> bool:
    return len(short) == 1 and len(long) > 1 and short[0] == _initials(long)


def _initials(words: Words) -> str:
    return "".join([word[0] for word in words if word not in _SMALL])


def _marks(words: Words) -> frozenset[str]:
    """What tells branches, floors and people of one name apart: numbers, and single letters."""
    return frozenset(word for word in words if len(word) == 1 or any(map(str.isdigit, word)))


def _alike(one: str, other: str) -> float:
    if one == other:
        return 1.0
    if one[0] != other[0]:
        return 0.0
    one, other = _SHORT.get(one, one), _SHORT.get(other, other)
    short, long = sorted((one, other), key=len)
    if long.startswith(short):
        return (0.6, 0.8)[len(short) - 1] if len(short) < 3 else 0.9
    likeness = fuzz.ratio(one, other) / 100
    return likeness if likeness >= 0.8 and len(short) >= 4 else 0.0
