"""Five hundred names of organizations in six languages, each labelled with the client that it is,
or with none: hardly anything is ticked that is wrong, and most of what is right comes first."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from portal.services.suggesting import suggest

pytestmark = pytest.mark.one_database

NAMES = Path(__file__).with_name("names.txt")
LANGUAGES = {"de", "en", "fr", "es", "it", "nl"}
NOBODY = "-"


@dataclass
class Labelled:
    """`right`: the client of each organization, NOBODY where it is none of them."""

    right: dict[str, str]
    clients: list[str]

    def add(self, group: str) -> None:
        for line in group.splitlines():
            organization, client = line.split(" = ")
            if organization != NOBODY:
                assert organization not in self.right
                self.right[organization] = client
            if client != NOBODY:
                self.clients.append(client)


@dataclass(frozen=True)
class Found:
    ticked: int
    wrongly_ticked: list[str]
    missed: list[str]
    right: int

    @property
    def precision(self) -> float:
        return 1 - len(self.wrongly_ticked) / self.ticked

    @property
    def recall(self) -> float:
        return 1 - len(self.missed) / self.right


def read() -> tuple[Labelled, Labelled, Labelled]:
    """The half that the matching was tuned on, the other one, and the whole."""
    text = "\n".join(line for line in NAMES.read_text().splitlines() if not line.startswith("#"))
    groups = [group for group in text.strip().split("\n\n") if group]
    tuned, tested, whole = Labelled({}, []), Labelled({}, []), Labelled({}, [])
    languages = set()
    for number, group in enumerate(groups):
        if group.startswith("["):
            language, _, group = group.partition("\n")
            languages.add(language.strip("[]"))
        (tuned, tested)[number % 2].add(group)
        whole.add(group)
    assert languages == LANGUAGES
    return tuned, tested, whole


def look(labelled: Labelled) -> Found:
    names = {name: name for name in labelled.right}
    found = suggest(names, {name: name for name in labelled.clients})
    ticked = {name: each.key for name, each in found.items() if each.is_sure}
    is_right = {name: client for name, client in labelled.right.items() if client != NOBODY}
    wrong = [f"{name} = {key}" for name, key in ticked.items() if labelled.right[name] != key]
    missed = [
        f"{name} = {client}, not {found[name].key if name in found else NOBODY}"
        for name, client in is_right.items()
        if name not in found or found[name].key != client
    ]
    return Found(len(ticked), wrong, missed, len(is_right))


@pytest.mark.parametrize("part", ["tuned", "tested", "whole"])
def test_what_is_ticked_is_right_and_what_is_right_comes_first(part: str) -> None:
    labelled = dict(zip(("tuned", "tested", "whole"), read(), strict=True))[part]
    found = look(labelled)
    print(f"{part}: {len(labelled.right)} names, {len(labelled.clients)} clients;")
    print(f"{found.ticked} ticked, precision {found.precision:.3f}, recall {found.recall:.3f}")
    print("wrong:", *found.wrongly_ticked, "missed:", *found.missed, sep="\n  ")
    assert found.precision >= 0.95
    assert found.recall >= 0.85
    assert found.ticked >= 0.4 * found.right


def test_the_set_is_whole() -> None:
    assert len(read()[2].right) == 500
