"""Whose computer a newcomer may be, where its serial number finds no asset.

Nothing follows from a suggestion by itself: a person looks. So it is made only where looking
pays. An equal IP address says nothing and is not asked for.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator, Set
from dataclasses import dataclass

from portal.sync.devices.identity.computers import Computer, Kind, KnownComputer, Newcomer
from portal.sync.devices.identity.likeness import contradicts, plain

MOST_ALIKE = 5
"""What more assets of a client than this have alike (`localhost`) distinguishes none of them."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    kind: Kind
    assets: tuple[KnownComputer, ...]
    reason: str


class Suggestions:
    """Finds assets of the same client that look like a newcomer."""

    def __init__(self, newcomers: Iterable[Newcomer], assets: Iterable[KnownComputer]) -> None:
        self._assets: defaultdict[Hashable, list[KnownComputer]] = defaultdict(list)
        for asset in sorted(assets, key=lambda asset: asset.asset_id):
            for key in _keys(asset):
                self._assets[key].append(asset)
        self._models = Counter(_model_key(newcomer) for newcomer in newcomers)

    def find(self, newcomer: Newcomer, kept_apart: Set[int]) -> Suggestion | None:
        """The best one. `kept_apart` are assets that a person said it is not."""
        for kind, key, what in (
            (Kind.SAME_NAME, _name_key(newcomer), f"the host name {newcomer.name}"),
            *((Kind.SAME_MAC, key, f"the MAC address {key[2]}") for key in _mac_keys(newcomer)),
            (Kind.SAME_MODEL, _model_key(newcomer), f"the model {newcomer.make_model}"),
        ):
            found = [asset for asset in self._alike(key) if asset.asset_id not in kept_apart]
            if kind is Kind.SAME_MODEL:
                found = self._predecessor(newcomer, found)
            if 0 < len(found) <= MOST_ALIKE:
                return Suggestion(kind, tuple(found), _sentence(found, what))
        return None

    def _alike(self, key: tuple[Kind, int, str]) -> list[KnownComputer]:
        return self._assets.get(key, []) if key[2] else []

    def _predecessor(self, newcomer: Newcomer, alike: list[KnownComputer]) -> list[KnownComputer]:
        """Of a model the only one that went, where only one came: an MSP buys the same computer
        many times over."""
        gone = [
            asset
            for asset in alike
            if asset.status is None
            and not asset.set_aside
            and not contradicts(asset.serial, newcomer.serial)
        ]
        came = self._models[_model_key(newcomer)]
        return gone if len(gone) == came == 1 else []


def _sentence(found: list[KnownComputer], what: str) -> str:
    if len(found) == 1:
        return (
            f"It has {what} in common with the asset {found[0].name} of the same client, and no "
            "serial number shows whether it is the same computer."
        )
    return (
        f"It has {what} in common with {len(found)} assets of the same client, and no serial "
        "number shows whether it is one of these computers."
    )


def _keys(computer: Computer) -> Iterator[Hashable]:
    yield _name_key(computer)
    yield from _mac_keys(computer)
    yield _model_key(computer)


def _name_key(computer: Computer) -> tuple[Kind, int, str]:
    return Kind.SAME_NAME, computer.client_id, plain(computer.name)


def _mac_keys(computer: Computer) -> Iterator[tuple[Kind, int, str]]:
    for mac in sorted(computer.mac_addresses):
        yield Kind.SAME_MAC, computer.client_id, mac


def _model_key(computer: Computer) -> tuple[Kind, int, str]:
    return Kind.SAME_MODEL, computer.client_id, plain(computer.make_model)
