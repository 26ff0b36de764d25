"""Names that are alike without being the same: with a typing error, shortened, turned round or
with a word more. Pure: knows neither Flask nor the database."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
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


@dataclass(frozen=True, slots=True)
class _Name:
    words: Words
    joined: str
    initials: str
    marks: frozenset[str]
    weight: float

    def abbreviates(self, other: _Name) -> bool:
        return len(self.words) == 1 < len(other.words) and self.words[0] == other.initials


class SimilarNames:
    """Names to be found among, each by its words; and those `asked` for, of whose words alone it is
    noted where they stand."""

    def __init__(self, names: Sequence[Words], asked: Iterable[Words]) -> None:
        self.names = names
        self.often = Counter(chain.from_iterable(names))
        self.weights: dict[str, float] = {}
        self.known: dict[int, _Name] = {}
        self.by_end: dict[str, dict[int, str]] = defaultdict(dict)
        for number, words in enumerate(names):
            for end in _ends(joined := "".join(words)):
                self.by_end[end][number] = joined
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

    def find(self, words: Words) -> Likely | None:
        """The likeliest, if there is one."""
        name = self._read(words)
        candidates = self._list_candidates(name)
        found = [each for number in candidates if (each := self._compare(name, number))]
        return max(found, key=lambda each: (each[1], -each[0]), default=None)

    def _list_candidates(self, name: _Name) -> list[int]:
        shared: Counter[int] = Counter()
        for word in name.words:
            for numbers in (self.by_word.get(word), self.by_start.get(word[:_START])):
                if numbers and len(numbers) <= _SHARED_BY:
                    shared.update(numbers)
        candidates = dict.fromkeys(number for number, _ in shared.most_common(_COMPARED))
        for end in _ends(name.joined):
            near = process.extract(
                name.joined,
                self.by_end.get(end, {}),
                scorer=fuzz.ratio,
                score_cutoff=_NEAR,
                limit=3,
            )
            candidates |= dict.fromkeys(number for _, _, number in near)
        if len(name.words) == 1:
            candidates |= dict.fromkeys(self.by_initials.get(name.joined, ()))
        else:
            candidates |= dict.fromkeys(self.by_word.get(name.initials, ()))
        return list(candidates)

    def _compare(self, name: _Name, number: int) -> Likely | None:
        other = self.known.get(number)
        if other is None:
            other = self.known[number] = self._read(self.names[number])
        if name.marks and other.marks and name.marks != other.marks:
            return None  # Branch 1 and Branch 2
        if name.abbreviates(other) or other.abbreviates(name):
            return number, 80, "initials"
        shorter, longer = (name, other) if len(name.words) <= len(other.words) else (other, name)
        if not shorter.weight or not longer.weight:
            return None
        together = self._weigh_shared(shorter.words, longer.words)
        words = 2 * together / (shorter.weight + longer.weight)
        letters = fuzz.ratio(shorter.joined, longer.joined) / 100
        likeness = max(words, (words + letters) / 2, letters - 0.12)
        reason = "similar"
        if together >= 0.95 * shorter.weight and len(longer.words) > len(shorter.words):
            reason = "part"
            likeness = max(likeness, 0.78)
        if name.marks != other.marks:
            likeness -= 0.08
        score = min(MOST, round(100 * likeness))
        return (number, score, reason) if score >= LEAST else None

    def _read(self, words: Words) -> _Name:
        weight = sum(map(self._weigh, words))
        return _Name(words, "".join(words), _initials(words), _marks(words), weight)

    def _weigh(self, word: str) -> float:
        """The more, the fewer names have it."""
        weight = self.weights.get(word)
        if weight is None:
            weight = self.weights[word] = log(2 + len(self.names) / (1 + self.often[word]))
        return weight

    def _weigh_shared(self, shorter: Words, longer: Words) -> float:
        """What the words of one that stand in the other are worth, each as far as it does."""
        left, shared = list(longer), 0.0
        for word in shorter:
            if word in left:
                best, likeness = word, 1.0
            else:
                best, likeness = word, 0.0
                for each in left:
                    if each[0] == word[0] and (alike := _alike(word, each)) > likeness:
                        best, likeness = each, alike
            if likeness:
                left.remove(best)
                shared += likeness * (self._weigh(word) + self._weigh(best)) / 2
        return shared


def _initials(words: Words) -> str:
    return "".join([word[0] for word in words if word not in _SMALL])


def _marks(words: Words) -> frozenset[str]:
    """What tells branches, floors and people of one name apart: numbers, and single letters."""
    return frozenset(filter(_is_mark, words))


@lru_cache(maxsize=1 << 14)
def _is_mark(word: str) -> bool:
    return len(word) == 1 or any(map(str.isdigit, word))


def _ends(joined: str) -> tuple[str, ...]:
    """Two that are near begin with the same letter or end with the same two. Only those are
    compared by all their letters, which is what takes the time."""
    return (joined[0], "…" + joined[-2:]) if joined else ()


def _alike(one: str, other: str) -> float:
    """Of two words that begin with the same letter: from 0 to 1."""
    one, other = _SHORT.get(one, one), _SHORT.get(other, other)
    short, long = sorted((one, other), key=len)
    if long.startswith(short):
        return (0.6, 0.8)[len(short) - 1] if len(short) < 3 else 0.9
    likeness = fuzz.ratio(one, other) / 100
    return likeness if likeness >= 0.8 and len(short) >= 4 else 0.0
