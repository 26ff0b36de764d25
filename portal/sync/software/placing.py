"""Of which product each title is, and what the versions of one come to. Nothing is read or written
here."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from portal.product_names import ProductName, fold_publisher
from portal.versions import VersionKey, version_key

ProductKey = tuple[str, str]
"""Of a name and a publisher."""


class UnplacedTitle(NamedTuple):
    id: int
    name: str
    publisher: str


class KnownProduct(NamedTuple):
    id: int
    key: ProductKey


@dataclass(slots=True)
class Placing:
    """`keys` and `versions` are by the id of a title. `added` are spellings of new products,
    `named` those of publishers that products get which had none."""

    keys: dict[int, ProductKey] = field(default_factory=dict)
    versions: dict[int, str] = field(default_factory=dict)
    added: dict[ProductKey, tuple[str, str]] = field(default_factory=dict)
    named: dict[int, tuple[str, str]] = field(default_factory=dict)


class Version(NamedTuple):
    text: str
    installs: int


class VersionSummary(NamedTuple):
    version_count: int
    newest: str
    older_count: int


def plan_products(
    titles: Sequence[UnplacedTitle],
    names: Mapping[int, ProductName],
    known: Iterable[KnownProduct],
) -> Placing:
    """`names` are by the id of a title. `known` are the products that have one of them.

    A title of which nobody tells the publisher is of the product of its name, if only one
    publisher has such a one.
    """
    publishers = {each.id: fold_publisher(each.publisher) for each in titles}
    there = {each.key: each.id for each in known}
    makers: defaultdict[str, set[str]] = defaultdict(set)
    for key in (*there, *((names[i].key, publishers[i]) for i in names)):
        makers[key[0]].add(key[1])
    plan, spellings = Placing(), defaultdict[ProductKey, list[tuple[str, str]]](list)
    for title in titles:
        name, publisher = names[title.id], publishers[title.id]
        others = makers[name.key] - {""}
        if not publisher and len(others) == 1:
            (publisher,) = others
        key = (name.key, publisher)
        plan.keys[title.id], plan.versions[title.id] = key, name.version
        spellings[key].append((name.name, title.publisher))
    for key, spelt in spellings.items():
        blank = there.get((key[0], ""))
        if key in there:
            continue
        if blank is not None and makers[key[0]] - {""} == {key[1]}:
            plan.named[blank] = (_commonest(each for _, each in spelt), key[1])
        else:
            plan.added[key] = (
                _commonest(each for each, _ in spelt),
                _commonest(each for _, each in spelt),
            )
    return plan


def choose_publisher(spellings: Mapping[str, int]) -> str:
    """Of the spellings of one publisher, each with the number of titles that have it, the most
    usual one; of equally usual ones the shortest, and rather small letters than capitals."""
    return max(spellings, key=lambda text: (spellings[text], -len(text), text), default="")


def summarize_versions(versions: Iterable[Version]) -> VersionSummary:
    """A version that nobody can compare is neither the newest nor older."""
    counted: Counter[str] = Counter()
    for each in versions:
        counted[each.text] += each.installs
    keys: dict[str, VersionKey] = {text: version_key(text) for text in counted}
    newest = max(counted, key=lambda text: (keys[text], text), default="")
    if not keys.get(newest):
        return VersionSummary(len(counted), "", 0)
    older = sum(n for text, n in counted.items() if keys[text] and keys[text] < keys[newest])
    return VersionSummary(len(counted), newest, older)


def _commonest(texts: Iterable[str]) -> str:
    """Of equally common ones always the same, and rather small letters than capitals."""
    counted = Counter(each for each in texts if each)
    return max(counted, key=lambda text: (counted[text], text), default="")
