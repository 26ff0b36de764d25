"""Who has which serial number: what the ladder of identity looks up."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from itertools import islice

from portal.sync.devices.identity.computers import KnownComputer, Newcomer, Superseded
from portal.sync.devices.identity.likeness import MOST_SHOWN, is_of_one_place, is_other_hardware


class Claims:
    """The newcomers with their serial numbers, and the assets that have them.

    The asset of a newcomer is no asset for another: the two newcomers are compared.
    """

    def __init__(
        self,
        newcomers: Sequence[Newcomer],
        assets: Iterable[KnownComputer],
        superseded: Mapping[str, Superseded],
        kept_apart: Set[tuple[str, int]],
    ) -> None:
        self.assets = {asset.asset_id: asset for asset in assets}
        self.superseded = superseded
        claimed = {newcomer.asset_id for newcomer in newcomers}
        self._holders: defaultdict[str, list[KnownComputer]] = defaultdict(list)
        for asset_id, asset in sorted(self.assets.items()):
            if asset.serial and asset_id not in claimed:
                self._holders[asset.serial].append(asset)
        self._claimants: defaultdict[str, list[str]] = defaultdict(list)
        for newcomer in sorted(newcomers, key=lambda newcomer: newcomer.agent_id):
            if newcomer.serial and not self.is_silent(newcomer):
                self._claimants[newcomer.serial].append(newcomer.agent_id)
        self._kept_by_agent: defaultdict[str, set[int]] = defaultdict(set)
        self._kept_by_asset: defaultdict[int, list[str]] = defaultdict(list)
        for agent_id, asset_id in kept_apart:
            self._kept_by_agent[agent_id].add(asset_id)
            self._kept_by_asset[asset_id].append(agent_id)
        self._serials = {each.agent_id: each.serial for each in self.assets.values()}
        self._serials |= {each.agent_id: each.serial for each in newcomers}

    def is_silent(self, newcomer: Newcomer) -> bool:
        """Superseded, and it has not checked in since."""
        old = self.superseded.get(newcomer.agent_id)
        if old is None or old.revived:
            return False
        return newcomer.last_seen is None or newcomer.last_seen <= old.superseded_at

    def holders(self, newcomer: Newcomer) -> Sequence[KnownComputer]:
        """All assets with its serial number, by id."""
        return self._holders.get(newcomer.serial or "", ())

    def candidates(self, newcomer: Newcomer, set_aside: bool) -> Sequence[KnownComputer]:
        """Those of its place that may be its hardware, so many as are shown at most."""
        fitting = (
            asset
            for asset in self.holders(newcomer)
            if asset.set_aside is set_aside
            and is_of_one_place(newcomer, asset)
            and not is_other_hardware(newcomer, asset)
        )
        return list(islice(fitting, MOST_SHOWN))

    def rivals(self, newcomer: Newcomer) -> Sequence[str]:
        """agent_ids of other newcomers with its serial number, so many as are shown at most.

        Of whatever client: then it distinguishes no computers.
        """
        claimants = self._claimants.get(newcomer.serial or "", ())
        others = (agent_id for agent_id in claimants if agent_id != newcomer.agent_id)
        return list(islice(others, MOST_SHOWN))

    def kept_apart(self, newcomer: Newcomer) -> Set[int]:
        """Ids of assets that a person said it is not."""
        return self._kept_by_agent.get(newcomer.agent_id, frozenset())

    def was_kept_apart(self, newcomer: Newcomer) -> bool:
        """A person said that it is not what has the same serial number."""
        kept = self.kept_apart(newcomer)
        serials = {self.assets[each].serial for each in kept if each in self.assets}
        return newcomer.serial is not None and newcomer.serial in serials

    def is_doubted(self, asset: KnownComputer) -> bool:
        """A person kept it apart from what had, or may have had, the same serial number."""
        kept = self._kept_by_asset.get(asset.asset_id, ())
        return any(self._serials.get(agent_id) in (None, asset.serial) for agent_id in kept)
