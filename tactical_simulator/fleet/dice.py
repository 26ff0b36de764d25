"""Draws that are a pure function of what they are drawn for."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import TypeVar

T = TypeVar("T")

_LETTERS = (b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz" * 5)[:256]


class Dice:
    """The same name always draws the same; `random.Random` would be ten times slower to seed."""

    __slots__ = ("_at", "_bytes")

    def __init__(self, *name: object) -> None:
        self._bytes = blake2b("/".join(map(str, name)).encode(), digest_size=64).digest()
        self._at = 0

    def below(self, limit: int) -> int:
        at = self._at
        if at == 64:
            self._bytes = blake2b(self._bytes, digest_size=64).digest()
            at = 0
        self._at = at + 4
        return int.from_bytes(self._bytes[at : at + 4], "big") % limit

    def choice(self, options: Sequence[T]) -> T:
        return options[self.below(len(options))]

    def chance(self, percent: int) -> bool:
        return self.below(100) < percent


def letters(count: int, *name: object) -> str:
    """At most 64 letters, as Tactical makes its `agent_id` (40 of them)."""
    digest = blake2b("/".join(map(str, name)).encode(), digest_size=count).digest()
    return digest.translate(_LETTERS.ljust(256, b"x")).decode()
