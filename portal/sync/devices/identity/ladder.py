"""Whether an unknown agent is a computer that is known already: one computer, one asset.

An agent that is re-installed comes back under a new `agent_id`, and its serial number leads to
its asset. But a serial number may be shared: by a cloned virtual machine, by boards whose maker
wrote the same on all. A wrong relink gives one computer the history of another and leaves one
unwatched; a conflict costs a person a click. So a relink needs everything to agree, and all
else is left to people.

Pure: it reads nothing and writes nothing. It is asked at the end of a complete walk only, since
"not listed any more" is evidence.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import replace
from datetime import datetime, timedelta

from portal.sync.devices.identity.claims import Claims
from portal.sync.devices.identity.computers import (
    Identity,
    Kind,
    KnownComputer,
    Newcomer,
    Superseded,
    Verdict,
)
from portal.sync.devices.identity.likeness import MOST_SHOWN, evidence_of, is_newer, was_seen_since
from portal.sync.devices.identity.reasons import (
    describe_conflict,
    describe_elsewhere,
    describe_match,
)
from portal.sync.devices.identity.suggestions import Suggestions
from portal.tactical.status import DEFAULT_OFFLINE_MINUTES, AgentStatus

WAITS_FOR = timedelta(hours=1)
"""How long it may stay open whether the old agent goes silent."""


def plan_identities(
    newcomers: Sequence[Newcomer],
    assets: Iterable[KnownComputer],
    superseded: Mapping[str, Superseded],
    kept_apart: Set[tuple[str, int]],
    now: datetime,
) -> list[Verdict]:
    """One verdict for each newcomer, in order. No asset is the target of two.

    No agent is among the `newcomers` twice. `assets` are at least those that share a serial
    number, host name, MAC address or model with one of them, of whatever client. `superseded` is
    keyed by agent_id. `kept_apart` holds (agent_id, asset id) of all that a person said are two
    computers. `now` is by Tactical's clock, as every moment here: by one of ours that is ahead,
    a clone would look like a re-installation.
    """
    known = list(assets)
    claims = Claims(newcomers, known, superseded, kept_apart)
    ladder = _Ladder(claims, Suggestions(newcomers, known), now)
    return [ladder.judge(newcomer) for newcomer in newcomers]


class _Ladder:
    def __init__(self, claims: Claims, suggestions: Suggestions, now: datetime) -> None:
        self._claims = claims
        self._suggestions = suggestions
        self._now = now

    def judge(self, newcomer: Newcomer) -> Verdict:
        claims = self._claims
        old = claims.superseded.get(newcomer.agent_id)
        if old is not None and not old.revived:
            return self._judge_superseded(newcomer, old)
        if claims.was_kept_apart(newcomer):
            return _separate(
                newcomer,
                "A person decided that it is not the computer with the same serial number.",
            )
        own = claims.candidates(newcomer, set_aside=False)
        if found := own or claims.candidates(newcomer, set_aside=True):
            return self._judge_candidates(newcomer, found)
        return self._judge_unmatched(newcomer)

    def _judge_superseded(self, newcomer: Newcomer, old: Superseded) -> Verdict:
        if self._claims.is_silent(newcomer):
            reason = (
                "Its computer was reinstalled and now has another agent. This one has not checked "
                "in since."
            )
            return Verdict(newcomer, Identity.SKIPPED, reason)
        asset = self._claims.assets.get(old.asset_id)
        conflict = _conflict(newcomer, [asset] if asset else [], Kind.REVIVED)
        return replace(conflict, assets=(old.asset_id,))

    def _judge_candidates(self, newcomer: Newcomer, found: Sequence[KnownComputer]) -> Verdict:
        """Of assets that have its serial number, its client and its hardware."""
        rivals = self._claims.rivals(newcomer)
        if rivals or len(found) > 1:
            return _conflict(newcomer, found, Kind.SEVERAL, rivals)
        [asset] = found
        if asset.set_aside:
            return _match(newcomer, asset, Identity.OFFER, Kind.SET_ASIDE)
        if kind := self._why_not(newcomer, asset):
            return _conflict(newcomer, found, kind)
        if self._is_within_limit(asset):
            return _match(newcomer, asset, Identity.WAITING)
        is_new = newcomer.asset_id is None
        return _match(newcomer, asset, Identity.RELINK if is_new else Identity.MERGE)

    def _why_not(self, newcomer: Newcomer, asset: KnownComputer) -> Kind | None:
        """What forbids that the newcomer is the asset's computer, or None."""
        if self._claims.is_doubted(asset) or self._is_used_elsewhere(newcomer, asset):
            return Kind.SHARED_SERIAL
        if was_seen_since(asset, newcomer):
            return Kind.CLONE
        if self._is_within_limit(asset):
            is_over = self._now - newcomer.first_listed_at >= WAITS_FOR
            return Kind.STILL_ONLINE if is_over else None
        if not is_newer(newcomer, asset):
            return Kind.NOT_NEWER
        return Kind.EDITED if newcomer.edited else None

    def _is_used_elsewhere(self, newcomer: Newcomer, asset: KnownComputer) -> bool:
        """What has the serial number in another client, or as other hardware, runs beside it.

        One that went silent before says nothing: a computer may have changed hands.
        """
        return any(
            was_seen_since(other, newcomer) or self._is_within_limit(other)
            for other in self._claims.holders(newcomer)
            if other is not asset and not other.set_aside
        )

    def _is_within_limit(self, asset: KnownComputer) -> bool:
        """It is listed, and may be running for all that Tactical knows."""
        if asset.status is None:
            return False
        if asset.status == AgentStatus.ONLINE or asset.last_seen is None:
            return asset.status == AgentStatus.ONLINE
        minutes = asset.offline_minutes
        limit = timedelta(minutes=DEFAULT_OFFLINE_MINUTES if minutes is None else minutes)
        return self._now - asset.last_seen <= limit

    def _judge_unmatched(self, newcomer: Newcomer) -> Verdict:
        rivals, holders = self._claims.rivals(newcomer), self._claims.holders(newcomer)
        if rivals or holders:
            reason = describe_elsewhere(newcomer, rivals, holders)
            return _suggest(newcomer, holders, Kind.SAME_SERIAL, reason, rivals)
        if newcomer.asset_id is not None:
            return _separate(newcomer, "No other computer has its serial number.")
        found = self._suggestions.find(newcomer, self._claims.kept_apart(newcomer))
        if found is not None:
            return _suggest(newcomer, found.assets, found.kind, found.reason)
        if newcomer.serial is None:
            return _separate(newcomer, "It is new and has no serial number that could identify it.")
        return _separate(newcomer, "It is new: no asset has its serial number.")


def _separate(newcomer: Newcomer, reason: str) -> Verdict:
    action = Identity.CREATE if newcomer.asset_id is None else Identity.KEEP
    return Verdict(newcomer, action, reason, evidence=evidence_of(newcomer, ()))


def _match(
    newcomer: Newcomer, asset: KnownComputer, action: Identity, kind: Kind | None = None
) -> Verdict:
    reason = describe_match(action, newcomer, asset)
    evidence = evidence_of(newcomer, [asset])
    return Verdict(newcomer, action, reason, kind, (asset.asset_id,), evidence)


def _conflict(
    newcomer: Newcomer, found: Sequence[KnownComputer], kind: Kind, rivals: Sequence[str] = ()
) -> Verdict:
    reason = describe_conflict(kind, newcomer, found)
    ids = tuple(asset.asset_id for asset in found)
    evidence = evidence_of(newcomer, found, rivals)
    return Verdict(newcomer, Identity.CONFLICT, reason, kind, ids, evidence)


def _suggest(
    newcomer: Newcomer,
    found: Sequence[KnownComputer],
    kind: Kind,
    reason: str,
    rivals: Sequence[str] = (),
) -> Verdict:
    shown = found[:MOST_SHOWN]
    ids = tuple(asset.asset_id for asset in shown)
    evidence = evidence_of(newcomer, shown, rivals)
    return Verdict(newcomer, Identity.SUGGESTION, reason, kind, ids, evidence)
