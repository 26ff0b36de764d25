"""What a sync does about strangers, as decisions like those about any other agent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace

from portal.sync.devices.arrivals.identification import Identified
from portal.sync.devices.arrivals.strangers import Stranger
from portal.sync.devices.facts import AGENT
from portal.sync.devices.identity.computers import Identity
from portal.sync.devices.plan import Decision, KnownAsset, KnownOrganization, plan_agent
from portal.sync.runs.action import Action

NOT_LISTED = (
    "It has the serial number of a known asset. The next sync or status sync decides whether it "
    "is that computer."
)
SUPERSEDED = "Its computer was re-installed and has another agent now."


def plan_newcomers(
    identified: Iterable[Identified],
    known: Mapping[str, KnownAsset],
    organizations: Mapping[str, KnownOrganization],
) -> list[Decision]:
    """By what is stored now, by agent_id; none of an agent that got an asset meanwhile, or whose
    asset to be was given away."""
    found = (_plan_newcomer(each, known, organizations) for each in identified)
    return [decision for decision in found if decision is not None]


def count_newcomers(decisions: Iterable[Decision]) -> Counter[str]:
    """They were seen with their pages. Those that have an asset were counted there, too: of them
    it is counted that they wait, and, as relinks, that they are merged."""
    counts: Counter[str] = Counter()
    for decision in decisions:
        newcomer = decision.identity and decision.identity.newcomer
        if newcomer and (newcomer.asset_id is None or decision.action is not Action.UNCHANGED):
            counts[str(decision.action)] += 1
        counts["conflicts"] += decision.needs_person
    return counts


def plan_wait(stranger: Stranger) -> Decision:
    """What is decided where only this one agent was read: nothing yet."""
    action, reason = Action.WAITING, NOT_LISTED
    if stranger.is_superseded:
        action, reason = Action.SKIPPED, SUPERSEDED
    return Decision(action, stranger.agent.agent_id, stranger.agent.hostname, reason)


def _plan_newcomer(
    each: Identified,
    known: Mapping[str, KnownAsset],
    organizations: Mapping[str, KnownOrganization],
) -> Decision | None:
    verdict, stranger = each.verdict, each.stranger
    newcomer = verdict.newcomer
    decision = Decision(
        Action.UNCHANGED, newcomer.agent_id, newcomer.name, verdict.reason, identity=verdict
    )
    if newcomer.asset_id is not None:
        return _plan_owner(each, decision, known)
    if stranger is None or newcomer.agent_id in known:
        return None
    if verdict.action in (Identity.WAITING, Identity.SKIPPED):
        is_wait = verdict.action is Identity.WAITING
        return replace(decision, action=Action.WAITING if is_wait else Action.SKIPPED)
    if each.is_relink:
        return _plan_relink(each, stranger, known, organizations)
    agent, moments = stranger.agent, (stranger.observed_at, stranger.server_now)
    made = plan_agent(agent, None, organizations, *moments)
    return replace(made, reason=made.reason or verdict.reason, identity=verdict)


def _plan_owner(
    each: Identified, decision: Decision, known: Mapping[str, KnownAsset]
) -> Decision | None:
    """Of an agent that has an asset: what was told of it is written already."""
    action, newcomer = each.verdict.action, each.verdict.newcomer
    if action is Identity.WAITING:
        return replace(decision, action=Action.WAITING)
    if not each.is_merge:
        return decision if each.verdict.asks_person else None
    own, asset = known.get(newcomer.agent_id), _find_asset(each, known)
    if own is None or own.id != newcomer.asset_id or asset is None:
        return None
    agents = (each.asset.agent_id if each.asset else None, newcomer.agent_id)
    return replace(
        decision,
        action=Action.RELINKED,
        known=asset,
        client_id=asset.client_id,
        changes={AGENT: agents},
    )


def _find_asset(each: Identified, known: Mapping[str, KnownAsset]) -> KnownAsset | None:
    """The asset that becomes its, where that has still the agent that was looked at."""
    assert each.asset is not None
    asset = known.get(each.asset.agent_id)
    return asset if asset is not None and asset.id == each.asset.asset_id else None


def _plan_relink(
    each: Identified,
    stranger: Stranger,
    known: Mapping[str, KnownAsset],
    organizations: Mapping[str, KnownOrganization],
) -> Decision | None:
    """The asset takes over what is known of the new agent."""
    asset = _find_asset(each, known)
    if asset is None or each.asset is None:
        return None
    # A later look was at the old agent: it says nothing of the new one.
    observed_at = max(stranger.observed_at, asset.synced_at, asset.status_at)
    asset = replace(asset, external_pk=None)
    told = plan_agent(stranger.agent, asset, organizations, observed_at, stranger.server_now)
    if told.synced_at is None:
        return None  # its organization is not synced any more
    return replace(
        told,
        action=Action.RELINKED,
        reason=each.verdict.reason,
        changes={AGENT: (each.asset.agent_id, stranger.agent.agent_id), **(told.changes or {})},
        identity=each.verdict,
    )
