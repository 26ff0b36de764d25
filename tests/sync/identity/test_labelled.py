"""A thousand labelled cases: nothing is joined that is two, and hardly anything is asked that is
one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from random import Random

from portal.sync.devices.identity.computers import Identity, KnownComputer, Superseded, Verdict
from portal.sync.devices.identity.ladder import plan_identities
from tests.sync.identity.cases import KINDS, Case, Label, make_cases
from tests.sync.identity.computers import NOW

JOINED = {Identity.RELINK, Identity.MERGE}
QUEUED = {Identity.CONFLICT, Identity.SUGGESTION, Identity.OFFER}
LATER = NOW + timedelta(minutes=30)

Verdicts = dict[str, Verdict]


def look(cases: Sequence[Case], assets: Sequence[KnownComputer], now: datetime) -> Verdicts:
    """At all cases as at one fleet, in disorder. By agent_id."""
    newcomers = [each for case in cases for each in case.newcomers]
    superseded: dict[str, Superseded] = {}
    for case in cases:
        superseded |= case.superseded
    kept_apart = {pair for case in cases for pair in case.kept_apart}
    dice = Random(7)
    dice.shuffle(newcomers)
    shuffled = dice.sample(assets, len(assets))
    verdicts = plan_identities(newcomers, shuffled, superseded, kept_apart, now)
    return {verdict.newcomer.agent_id: verdict for verdict in verdicts}


@cache
def decided() -> tuple[list[Case], Verdicts]:
    """The cases, and what each newcomer comes to: half an hour later, where the first look can
    only wait. The old agents are silent by then."""
    cases = make_cases(1_000, seed=20)
    assets = [asset for case in cases for asset in case.assets]
    verdicts = look(cases, assets, NOW)
    waiting = [
        case
        for case in cases
        if any(verdicts[each.agent_id].action is Identity.WAITING for each in case.newcomers)
    ]
    assert {case.kind for case in waiting} == {"just_now"}
    silent = [replace(asset, status="offline") for case in waiting for asset in case.assets]
    return cases, verdicts | look(waiting, silent, LATER)


def of_label(label: Label) -> list[tuple[Case, list[Verdict]]]:
    cases, verdicts = decided()
    return [
        (case, [verdicts[each.agent_id] for each in case.newcomers])
        for case in cases
        if case.label is label
    ]


def test_the_set_is_whole() -> None:
    cases, _ = decided()
    kinds = {kind.__name__ for kinds in KINDS.values() for kind in kinds}
    assert (len(cases), {case.kind for case in cases}) == (1_000, kinds)


def test_no_two_computers_become_one_asset() -> None:
    cases, verdicts = decided()
    truth = {each: pc for case in cases for each, pc in case.computer_of.items()}
    numbers = {each: case.number for case in cases for each in case.computer_of}
    wrong = [
        (verdict.newcomer.agent_id, verdict.assets)
        for verdict in verdicts.values()
        if verdict.action in JOINED
        for asset_id in verdict.assets
        if (truth[verdict.newcomer.agent_id], numbers[verdict.newcomer.agent_id])
        != (truth[asset_id], numbers[asset_id])
    ]
    assert wrong == []


def test_every_ambiguous_case_is_queued() -> None:
    assert [
        (case.kind, [each.action for each in verdicts])
        for case, verdicts in of_label(Label.QUEUE)
        if not all(each.action in QUEUED for each in verdicts)
    ] == []


def test_the_unambiguous_are_relinked_by_themselves() -> None:
    told = of_label(Label.RELINK)
    asked = [
        (case.kind, [each.kind for each in verdicts])
        for case, verdicts in told
        if not any(each.action in JOINED for each in verdicts)
    ]
    assert len(asked) <= 0.05 * len(told), asked


def test_new_computers_get_assets_of_their_own() -> None:
    assert [
        (case.kind, [each.action for each in verdicts])
        for case, verdicts in of_label(Label.NEW)
        if not all(each.makes_asset for each in verdicts)
    ] == []
