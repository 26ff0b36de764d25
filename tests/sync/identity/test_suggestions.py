"""What no serial number shows is suggested at most."""

from __future__ import annotations

from typing import Any

import pytest

from portal.sync.devices.identity.computers import Identity, Kind, KnownComputer, Newcomer
from tests.sync.identity.computers import judge, judge_all, known, newcomer

MAC = frozenset({"00:1a:2b:3c:4d:5e"})
UNLIKE: dict[str, Any] = {"name": "OTHER", "make_model": "Dell Inc. OptiPlex 7050"}


def nameless(**facts: Any) -> Newcomer:
    return newcomer(**{"serial_number": None} | facts)


def unlike(asset_id: int = 1, **facts: Any) -> KnownComputer:
    return known(asset_id, **UNLIKE | {"serial_number": None} | facts)


@pytest.mark.parametrize(
    ("asset", "kind"),
    [
        ({"name": "reception"}, Kind.SAME_NAME),
        ({"name": "RECEPTION", "status": "online"}, Kind.SAME_NAME),
        ({"name": "RECEPTION", "serial_number": "QQ12345678"}, Kind.SAME_NAME),
        ({"mac_addresses": MAC}, Kind.SAME_MAC),
        ({"make_model": "HP PRODESK 600 G4"}, Kind.SAME_MODEL),
        ({"name": "RECEPTION", "mac_addresses": MAC}, Kind.SAME_NAME),
    ],
)
def test_an_equal_name_mac_or_model_is_suggested(asset: dict[str, Any], kind: Kind) -> None:
    verdict = judge(nameless(mac_addresses=MAC), unlike(6, **asset))
    assert (verdict.action, verdict.kind, verdict.assets) == (Identity.SUGGESTION, kind, (6,))
    assert verdict.makes_asset


@pytest.mark.parametrize(
    "asset",
    [
        {},
        {"name": "RECEPTION", "client_id": 2},
        {"make_model": "HP ProDesk 600 G4", "status": "offline"},
        {"make_model": "HP ProDesk 600 G4", "set_aside": True},
    ],
)
def test_what_tells_nothing_is_not_suggested(asset: dict[str, Any]) -> None:
    assert judge(nameless(mac_addresses=MAC), unlike(**asset)).action is Identity.CREATE


def test_empty_facts_are_not_alike() -> None:
    verdict = judge(nameless(make_model=None, name=""), unlike(make_model=None, name=""))
    assert verdict.action is Identity.CREATE


def test_a_computer_that_was_bought_has_no_predecessor_of_its_model() -> None:
    gone = unlike(make_model="HP ProDesk 600 G4", serial_number="QQ12345678")
    assert judge(newcomer(), gone).action is Identity.CREATE
    assert judge(nameless(), gone).kind is Kind.SAME_MODEL


def test_a_model_is_suggested_only_where_one_went_and_one_came() -> None:
    gone = [unlike(number, make_model="HP ProDesk 600 G4") for number in (1, 2)]
    assert judge(nameless(), *gone).action is Identity.CREATE
    two = [nameless(), newcomer("second", serial_number=None, name="SECOND")]
    assert {each.action for each in judge_all(two, gone[:1])} == {Identity.CREATE}


def test_a_name_that_many_share_is_not_suggested() -> None:
    assets = [unlike(number, name="localhost") for number in range(1, 7)]
    assert judge(nameless(name="localhost"), *assets).action is Identity.CREATE
    few = judge(nameless(name="localhost"), *assets[:5])
    assert (few.kind, few.assets) == (Kind.SAME_NAME, (1, 2, 3, 4, 5))


def test_what_a_person_kept_apart_is_not_suggested_again() -> None:
    verdict = judge(nameless(), unlike(3, name="RECEPTION"), kept_apart={("new", 3)})
    assert verdict.action is Identity.CREATE
