"""What holds of any fleet: of thousands, made from so few values that everything collides."""

from __future__ import annotations

import json
from collections import Counter
from datetime import timedelta
from functools import cache
from random import Random
from typing import Any, NamedTuple

from hypothesis import settings

from portal.sync.devices.identity.computers import (
    Identity,
    KnownComputer,
    Newcomer,
    Superseded,
    Verdict,
)
from tests.sync.identity.computers import NOW, ago, judge_all

JOINED = {Identity.RELINK, Identity.MERGE}
MOMENTS = [ago(minutes) for minutes in (0, 3, 5, 59, 61, 90, 5_000)]
WORDS = ["online", "offline", "overdue"]
AGENTS = [f"new-{number}" for number in range(4)]
FLEETS = 100 * settings().max_examples
"""By the profile: few in `make test-fast`, many in `make test-properties`."""


class Fleet(NamedTuple):
    newcomers: list[Newcomer]
    assets: list[KnownComputer]
    superseded: dict[str, Superseded]
    kept_apart: set[tuple[str, int]]


def make_fleet(seed: int) -> Fleet:
    dice = Random(seed)
    asset_ids = dice.sample(range(1, 9), dice.randrange(5))
    assets = [
        KnownComputer(
            asset_id=asset_id,
            agent_id=f"old-{asset_id}",
            status=dice.choice([None, None, *WORDS]),
            client_locked=dice.choice([True, False]),
            set_aside=dice.choice([False, False, False, True]),
            offline_minutes=dice.choice([None, 4, 90]),
            last_seen=dice.choice([*MOMENTS, None, *[ago(900)] * 9]),
            **told(dice),
        )
        for asset_id in asset_ids
    ]
    own = dice.sample([*[None] * 6, *asset_ids], 3)
    newcomers = [
        Newcomer(
            agent_id=agent_id,
            asset_id=asset_id,
            status=dice.choice(WORDS),
            first_listed_at=dice.choice(MOMENTS),
            edited=dice.choice([True, False]),
            last_seen=dice.choice([*MOMENTS, None, *[NOW] * 9]),
            **told(dice),
        )
        for agent_id, asset_id in zip(dice.sample(AGENTS, dice.randrange(4)), own, strict=False)
    ]
    superseded = {
        agent_id: Superseded(dice.randrange(1, 9), dice.choice(MOMENTS), dice.choice([True, False]))
        for agent_id in dice.sample(AGENTS, dice.choice([0, 0, 1]))
    }
    pairs = [(agent_id, asset_id) for agent_id in (*AGENTS, "gone") for asset_id in range(1, 9)]
    return Fleet(newcomers, assets, superseded, set(dice.sample(pairs, dice.choice([0, 0, 2]))))


@cache
def judged(seed: int) -> tuple[Fleet, list[Verdict]]:
    fleet = make_fleet(seed)
    return fleet, judge_all(*fleet)


def told(dice: Random) -> dict[str, Any]:
    return {
        "name": dice.choice(["A", "B"]),
        "client_id": dice.choice([*[1] * 6, 2]),
        "organization_id": dice.choice(["1", "2"]),
        "serial_number": dice.choice(["S1S1", "s1s1 ", "S2S2", "S3S3", "S4S4", None]),
        "os_type": dice.choice([*["Windows"] * 8, None, "Linux"]),
        "make_model": dice.choice([*["HP"] * 8, None, "Dell"]),
    }


def test_the_order_of_what_is_told_makes_no_difference() -> None:
    for seed in range(FLEETS):
        fleet, verdicts = judged(seed)
        assert [each.newcomer for each in verdicts] == fleet.newcomers
        others = judge_all(fleet.newcomers[::-1], fleet.assets[::-1], *fleet[2:])
        assert others[::-1] == verdicts, seed


def test_a_relink_needs_everything_to_agree() -> None:
    actions: Counter[Identity] = Counter()
    for seed in range(FLEETS):
        fleet, verdicts = judged(seed)
        actions.update(each.action for each in verdicts)
        joined = [each for each in verdicts if each.action in JOINED]
        assert len({each.assets for each in joined}) == len(joined), seed
        assert all(is_sure(each, fleet) for each in joined), seed
    assert set(actions) == set(Identity)
    assert actions[Identity.RELINK] > FLEETS / 62


def is_sure(verdict: Verdict, fleet: Fleet) -> bool:
    """The rules once more, in other words."""
    new, [asset_id] = verdict.newcomer, verdict.assets
    owned = {each.asset_id for each in fleet.newcomers}
    others = [each for each in fleet.newcomers if each is not new and each.serial == new.serial]
    beside = [each for each in fleet.assets if each.asset_id not in {asset_id, *owned}]
    [old] = [each for each in fleet.assets if each.asset_id == asset_id]
    return (
        agrees(new, old)
        and asset_id not in owned
        and (new.agent_id, asset_id) not in fleet.kept_apart
        and all(each.agent_id in fleet.superseded for each in others)
        and not any(runs_beside(each, new) for each in beside)
    )


def agrees(new: Newcomer, old: KnownComputer) -> bool:
    """The rules once more, in other words."""
    chosen = old.client_locked and old.organization_id == new.organization_id
    return (
        new.serial is not None
        and new.serial == old.serial
        and (new.client_id == old.client_id or chosen)
        and (None in (new.os_type, old.os_type) or new.os_type == old.os_type)
        and (None in (new.make_model, old.make_model) or new.make_model == old.make_model)
        and not old.set_aside
        and not runs_beside(old, new)
        and (old.last_seen is None or (new.last_seen or ago(10**6)) > old.last_seen)
        and (new.asset_id is None or (not new.edited and new.asset_id > old.asset_id))
    )


def runs_beside(old: KnownComputer, new: Newcomer) -> bool:
    if old.serial != new.serial or old.set_aside:
        return False
    if old.last_seen is not None and old.last_seen >= new.first_listed_at:
        return True
    limit = timedelta(minutes=4 if old.offline_minutes is None else old.offline_minutes)
    is_recent = old.last_seen is not None and NOW - old.last_seen <= limit
    return old.status == "online" or (old.status is not None and is_recent)


def test_nobody_is_left_without_an_asset_but_for_a_while() -> None:
    for seed in range(FLEETS):
        for verdict in judged(seed)[1]:
            if verdict.action is Identity.WAITING:
                assert NOW - verdict.newcomer.first_listed_at < timedelta(hours=1), seed
                continue
            has_one = verdict.newcomer.asset_id is not None or verdict.makes_asset
            assert has_one or verdict.action in {*JOINED, Identity.SKIPPED}, seed


def test_every_verdict_can_be_kept_and_read() -> None:
    for seed in range(FLEETS):
        for verdict in judged(seed)[1]:
            assert json.loads(json.dumps(verdict.evidence)) == verdict.evidence, seed
            assert is_sentence(verdict.reason), seed
            asks = verdict.action in {Identity.CONFLICT, Identity.OFFER, Identity.SUGGESTION}
            assert (verdict.kind is not None) is asks, seed


def is_sentence(reason: str) -> bool:
    is_whole = reason[0].isupper() and reason.endswith(".")
    return is_whole and "None" not in reason and "{" not in reason
