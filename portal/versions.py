"""Compares version numbers as programs write them.

No library takes any text: those that follow a standard refuse most of what installers write.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from typing import TypeAlias

Part: TypeAlias = tuple[int, str, int]
VersionKey: TypeAlias = tuple[Part, ...]

LONGEST_VERSION = 200
"""Characters that count. Versions have far fewer, and a number of thousands of digits is slow."""

_BEFORE, _END, _WORD, _NUMBER = range(4)
"""The order of what may stand at one place: `1-beta` < `1` < `1k` < `1.1`."""

_STAGES = {
    "dev": 0,
    "snapshot": 0,
    "nightly": 0,
    "canary": 0,
    "alpha": 1,
    "beta": 2,
    "ctp": 2,
    "pre": 3,
    "preview": 3,
    "prerelease": 3,
    "rc": 4,
}
"""What comes before the version that it leads to."""

_SHORT_STAGES = {"a": "alpha", "b": "beta"}
"""Between two numbers: `3.12.0a7`."""

_SAYS_NOTHING = {
    *("b", "build", "rev", "revision", "v", "ver", "version"),
    *("final", "ga", "release", "rtm", "esr", "lts"),
}

_NOT_OF_THE_VERSION = re.compile(
    r"(?<![a-z0-9])(?:"
    r"x86[-_]64|x64|x86|amd64|arm64|aarch64|i[3-6]86|win(?:32|64)|(?:32|64)[-_ ]?bit"
    r"|g?(?=[0-9]*[a-f])(?=[a-f]*[0-9])[0-9a-f]{7,40}"  # the name of a commit
    r")(?![a-z0-9])"
)
_AMERICAN_DATE = re.compile(r"(?<!\d)(\d{1,2})/(\d{1,2})/(\d{4})(?!\d)")
_TOKEN = re.compile(r"\d+|[^\W\d_]+")


@lru_cache(maxsize=20_000)
def version_key(text: str) -> VersionKey:
    """Sorts any texts as versions, the oldest first; equal for `10` and `10.0`. Never raises.

    A text without a number is no known version: its key is empty, and sorts first.
    """
    plain = unicodedata.normalize("NFKC", text[:LONGEST_VERSION]).casefold()[:LONGEST_VERSION]
    plain = _AMERICAN_DATE.sub(r"\3.\1.\2", _NOT_OF_THE_VERSION.sub(" ", plain))
    if not re.search(r"\d", plain):
        return ()
    return tuple(_without_last_zeros([*_parts(plain), (_END, "", 0)]))


def is_known_version(text: str) -> bool:
    return bool(version_key(text))


def is_older(version: str, than: str) -> bool:
    """Whether it is known to be older: a version that nobody knows never is."""
    key = version_key(version)
    return bool(key) and key < version_key(than)


def _parts(plain: str) -> Iterator[Part]:
    tokens = [*_TOKEN.finditer(plain), None]
    before: re.Match[str] | None = None
    for token, after in pairwise(tokens):
        assert token is not None  # only the last one is, and it begins no pair
        word = token.group()
        if word[0].isdecimal():
            yield _NUMBER, "", int(word)
        else:
            counted = after is not None and after.group()[0].isdecimal()
            attached = before is not None and before.end() == token.start()
            yield from _word_part(word, counted, attached, is_first=before is None)
        before = token


def _word_part(word: str, counted: bool, attached: bool, is_first: bool) -> Iterator[Part]:
    """A word that stands for a stage or a patch; of others, such as a language, nothing."""
    if attached and counted:
        word = _SHORT_STAGES.get(word, word)
    if word in _STAGES:
        yield _BEFORE, "", _STAGES[word]
    elif is_first or (word in _SAYS_NOTHING and (counted or len(word) > 1)):
        return
    elif counted or (attached and len(word) <= 2):  # `SP1`, `1.0.2k`, `1.0.2zh`
        yield _WORD, word, 0


def _without_last_zeros(parts: list[Part]) -> Iterator[Part]:
    """Of each run of numbers, so that `1.0-beta` and `1-beta` are the same."""
    zeros: list[Part] = []
    for part in parts:
        if part == (_NUMBER, "", 0):
            zeros.append(part)
            continue
        if part[0] == _NUMBER:
            yield from zeros
        zeros.clear()
        yield part
