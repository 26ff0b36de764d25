"""The ladder of identity, rule by rule."""

from __future__ import annotations

import json
from typing import Any

import pytest

from portal.sync.devices.identity.computers import Identity, Kind, Superseded
from tests.sync.identity.computers import NOW, SERIAL, ago, judge, judge_all, known, newcomer

OFFLINE: dict[str, Any] = {"status": "offline"}
RELINK = (Identity.RELINK, None)
WAITING = (Identity.WAITING, None)
CLONE = (Identity.CONFLICT, Kind.CLONE)
SEVERAL = (Identity.CONFLICT, Kind.SEVERAL)
SHARED = (Identity.CONFLICT, Kind.SHARED_SERIAL)
NOT_NEWER = (Identity.CONFLICT, Kind.NOT_NEWER)
SAME_SERIAL = (Identity.SUGGESTION, Kind.SAME_SERIAL)
CREATE = (Identity.CREATE, None)

Outcome = tuple[Identity, Kind | None]


@pytest.mark.parametrize(
    "asset",
    [
        {},
        {"missing_since": ago(10_000)},
        {"missing_since": ago(10_000), "retired_at": ago(5_000)},
        OFFLINE,
        {"status": "overdue", "last_seen": ago(50_000)},
        {"status": "offline", "last_seen": None},
        {"last_seen": None},
        {"serial_number": f" {SERIAL.lower()} "},
        {"os_type": None, "make_model": None},
        {"make_model": "HP  PRODESK 600 g4 "},
        {"name": "OTHER"},
        {"client_id": 2, "client_locked": True},
        {"organization_id": "12"},
        # Silent for 70 minutes, which is longer than its limit:
        {"status": "offline", "last_seen": ago(70), "offline_minutes": 69},
    ],
)
def test_a_reinstalled_computer_keeps_its_asset(asset: dict[str, Any]) -> None:
    verdict = judge(newcomer(), known(7, **asset))
    assert (verdict.action, verdict.kind, verdict.assets) == (*RELINK, (7,))
    assert not verdict.makes_asset


@pytest.mark.parametrize(
    "asset",
    [
        {"serial_number": "5CG0000OTHER"},
        {"serial_number": None},
        {"client_id": 2},
        {"client_id": 2, "client_locked": True, "organization_id": "12"},
        {"os_type": "Linux"},
        {"make_model": "Dell Inc. OptiPlex 7050"},
    ],
)
def test_no_asset_of_another_computer_is_relinked(asset: dict[str, Any]) -> None:
    verdict = judge(newcomer(), known(**asset))
    assert verdict.action in {Identity.CREATE, Identity.SUGGESTION}
    assert verdict.makes_asset


@pytest.mark.parametrize("junk", ["To be filled by O.E.M.", "0000000", "", None])
def test_junk_is_no_evidence(junk: str | None) -> None:
    verdict = judge(newcomer(serial_number=junk), known(serial_number=junk, name="ELSEWHERE"))
    assert verdict.action is not Identity.RELINK
    assert verdict.makes_asset


@pytest.mark.parametrize(
    ("asset", "outcome"),
    [
        # Seen since the new one was first listed, whatever became of it then:
        ({"status": "online", "last_seen": ago(1)}, CLONE),
        ({"status": "offline", "last_seen": ago(59)}, CLONE),
        ({"status": "overdue", "last_seen": ago(30)}, CLONE),
        ({"last_seen": ago(30), "missing_since": ago(5)}, CLONE),
        ({"status": "offline", "last_seen": ago(60)}, CLONE),
        # A clock of Tactical's that runs ahead:
        ({"status": "online", "last_seen": ago(-5)}, CLONE),
        # In the shadow of a long limit, an hour is over:
        (
            {"status": "online", "last_seen": ago(61), "offline_minutes": 120},
            (Identity.CONFLICT, Kind.STILL_ONLINE),
        ),
        ({"status": "offline", "last_seen": ago(61)}, RELINK),
    ],
)
def test_what_was_seen_beside_it_is_another_computer(
    asset: dict[str, Any], outcome: Outcome
) -> None:
    verdict = judge(newcomer(), known(**asset))
    assert (verdict.action, verdict.kind) == outcome
    assert verdict.makes_asset is (outcome[0] is Identity.CONFLICT)


def test_a_clone_is_told_though_its_original_is_off_at_night() -> None:
    """First listed at noon, decided at midnight: the original was on in the afternoon."""
    clone = newcomer(first_listed_at=ago(720))
    assert judge(clone, known(status="overdue", last_seen=ago(400))).kind is Kind.CLONE


def test_it_waits_until_the_old_agent_is_surely_silent() -> None:
    new = newcomer(first_listed_at=ago(2), last_seen=ago(0.5))
    old = known(status="online", last_seen=ago(3))
    verdict = judge(new, old)
    assert (verdict.action, verdict.kind) == WAITING
    assert verdict.assets == (1,)
    assert not verdict.makes_asset
    silent = known(status="offline", last_seen=ago(3))
    assert judge(new, silent).action is Identity.WAITING  # the limit is not over yet
    assert judge(new, known(last_seen=ago(3))).action is Identity.RELINK  # it was deleted
    assert judge(new, silent, now=ago(-1.1)).action is Identity.RELINK
    assert judge(new, old, now=ago(-57.9)).action is Identity.WAITING
    after = judge(new, old, now=ago(-58))
    assert (after.action, after.kind) == (Identity.CONFLICT, Kind.STILL_ONLINE)


@pytest.mark.parametrize("minutes", [None, 4])
def test_a_limit_that_is_not_told_is_that_of_tactical(minutes: int | None) -> None:
    new = newcomer(first_listed_at=ago(1), last_seen=ago(0))
    old = known(status="offline", last_seen=ago(4), offline_minutes=minutes)
    assert judge(new, old).action is Identity.WAITING
    assert judge(new, old, now=ago(-0.1)).action is Identity.RELINK


@pytest.mark.parametrize("seen", [ago(90), ago(100), None])
def test_an_agent_that_is_no_newer_is_no_reinstallation(seen: Any) -> None:
    """One of an organization that was mapped only now, say, whose computer has a later agent."""
    verdict = judge(newcomer(last_seen=seen), known(status="overdue"))
    assert (verdict.action, verdict.kind) == NOT_NEWER


def test_several_assets_make_a_conflict() -> None:
    verdict = judge(newcomer(), known(1), known(2, **OFFLINE))
    assert (verdict.action, verdict.kind, verdict.assets) == (*SEVERAL, (1, 2))


def test_several_new_agents_make_conflicts() -> None:
    verdicts = judge_all([newcomer("one"), newcomer("two")], [known()])
    assert [(each.action, each.kind) for each in verdicts] == [SEVERAL, SEVERAL]
    assert [each.evidence["agents"] for each in verdicts] == [["two"], ["one"]]
    assert all(each.makes_asset for each in verdicts)


def test_a_rival_counts_wherever_it_is() -> None:
    """In another client, or on other hardware: the number tells no computer from another."""
    rivals = [newcomer("other", client_id=2), newcomer("linux", os_type="Linux")]
    for rival in rivals:
        verdict, _ = judge_all([newcomer(), rival], [known()])
        assert (verdict.action, verdict.kind) == SEVERAL


def test_two_new_agents_and_no_asset_make_two_assets_and_a_suggestion() -> None:
    verdicts = judge_all([newcomer("one"), newcomer("two"), newcomer("3", serial_number="X999")])
    assert [(each.action, each.kind) for each in verdicts] == [SAME_SERIAL, SAME_SERIAL, CREATE]
    assert all(each.makes_asset for each in verdicts)
    assert verdicts[0].evidence["agents"] == ["two"]


@pytest.mark.parametrize(
    ("elsewhere", "outcome"),
    [
        ({"status": "online", "last_seen": ago(1)}, SHARED),
        ({"status": "offline", "last_seen": ago(30)}, SHARED),
        ({"status": "overdue", "last_seen": ago(9_000)}, RELINK),
        ({"missing_since": ago(9_000), "last_seen": ago(9_000)}, RELINK),
        ({"set_aside": True, "status": None, "last_seen": ago(1)}, RELINK),
    ],
)
def test_a_serial_number_in_use_elsewhere_tells_nothing(
    elsewhere: dict[str, Any], outcome: Outcome
) -> None:
    verdict = judge(newcomer(), known(1), known(2, client_id=2, **elsewhere))
    assert (verdict.action, verdict.kind) == outcome


def test_an_equal_serial_number_of_another_client_is_a_suggestion() -> None:
    verdict = judge(newcomer(), known(4, client_id=2))
    assert (verdict.action, verdict.kind, verdict.assets) == (*SAME_SERIAL, (4,))


def test_what_a_person_kept_apart_stays_apart() -> None:
    kept = {("new", 1)}
    assert judge(newcomer(), known(1), kept_apart=kept).action is Identity.CREATE
    assert judge(newcomer(), known(1), known(2), kept_apart=kept).action is Identity.CREATE
    late = newcomer(asset_id=9)
    assert judge(late, known(1), kept_apart=kept).action is Identity.KEEP


@pytest.mark.parametrize(
    ("other", "outcome"),
    [
        ({}, SEVERAL),
        ({"serial_number": "QQ12345678"}, RELINK),
        (None, SHARED),
    ],
)
def test_who_was_kept_apart_from_the_asset_may_be_the_newcomer(
    other: dict[str, Any] | None, outcome: Outcome
) -> None:
    """A person said that asset 1 is not what agent `twin` runs on. A newcomer with their number
    may be either; but not if `twin` was kept apart for its name, and has a number of its own."""
    assets = [known(1)] + ([] if other is None else [known(2, agent_id="twin", **other)])
    verdict = judge(newcomer(), *assets, kept_apart={("twin", 1)})
    assert (verdict.action, verdict.kind) == outcome


def test_assets_set_aside_are_only_offered() -> None:
    verdict = judge(newcomer(), known(3, set_aside=True))
    assert (verdict.action, verdict.kind) == (Identity.OFFER, Kind.SET_ASIDE)
    assert verdict.assets == (3,)
    assert verdict.makes_asset


def test_an_organization_of_another_server_is_another_one() -> None:
    """They are numbered by each server: a client that was chosen by hand finds nothing there."""
    verdict = judge(newcomer(), known(set_aside=True, client_id=2, client_locked=True))
    assert verdict.action is Identity.SUGGESTION


def test_an_asset_of_the_own_integration_comes_first() -> None:
    verdict = judge(newcomer(), known(1, set_aside=True), known(2))
    assert (verdict.action, verdict.assets) == (Identity.RELINK, (2,))


def test_of_several_set_aside_a_person_chooses() -> None:
    assets = [known(1, set_aside=True), known(2, set_aside=True)]
    verdict = judge(newcomer(), *assets)
    assert (verdict.action, verdict.kind) == SEVERAL


class TestSuperseded:
    OLD = {"old": Superseded(asset_id=1, superseded_at=ago(60))}  # noqa: RUF012

    def listed(self, **facts: Any) -> Any:
        return newcomer("old", **{"last_seen": ago(70), "first_listed_at": NOW} | facts)

    @pytest.mark.parametrize("seen", [ago(70), ago(60), None])
    def test_one_that_is_listed_still_is_skipped(self, seen: Any) -> None:
        current = known(agent_id="new", status="online", last_seen=ago(1))
        verdict = judge(self.listed(last_seen=seen), current, superseded=self.OLD)
        assert verdict.action is Identity.SKIPPED
        assert not verdict.makes_asset

    def test_one_that_checks_in_again_is_a_conflict(self) -> None:
        current = known(1, agent_id="new", status="online", last_seen=ago(1))
        verdict = judge(self.listed(last_seen=ago(59)), current, superseded=self.OLD)
        assert (verdict.action, verdict.kind) == (Identity.CONFLICT, Kind.REVIVED)
        assert verdict.assets == (1,)
        assert verdict.makes_asset
        assert verdict.evidence["assets"][0]["agent_id"] == "new"

    def test_its_asset_is_named_though_it_is_unlike(self) -> None:
        verdict = judge(self.listed(last_seen=ago(59)), superseded=self.OLD)
        assert (verdict.kind, verdict.assets) == (Kind.REVIVED, (1,))

    def test_told_once_it_is_an_agent_like_any_other(self) -> None:
        told = {"old": Superseded(asset_id=1, superseded_at=ago(60), revived=True)}
        verdict = judge(self.listed(last_seen=ago(1)), known(**OFFLINE), superseded=told)
        assert verdict.action is Identity.RELINK

    def test_a_silent_one_is_no_rival(self) -> None:
        new = newcomer("newest", first_listed_at=ago(5))
        asset = known(agent_id="new", last_seen=ago(30))
        verdict, skipped = judge_all([new, self.listed()], [asset], self.OLD)
        assert (verdict.action, skipped.action) == (Identity.RELINK, Identity.SKIPPED)

    def test_a_revived_one_is(self) -> None:
        new = newcomer("newest", first_listed_at=ago(5))
        asset = known(agent_id="new", last_seen=ago(30))
        verdicts = judge_all([new, self.listed(last_seen=ago(1))], [asset], self.OLD)
        assert [each.kind for each in verdicts] == [Kind.SEVERAL, Kind.REVIVED]


class TestLateSerials:
    """An asset whose serial number comes in late is the younger one of the two."""

    def late(self, asset_id: int = 9, **facts: Any) -> Any:
        return newcomer(f"late-{asset_id}", asset_id=asset_id, **facts)

    def own(self, asset_id: int = 9) -> Any:
        return known(asset_id, agent_id=f"late-{asset_id}", status="online", last_seen=ago(1))

    def test_it_is_merged_into_the_older_asset(self) -> None:
        verdict = judge(self.late(), known(1), self.own())
        assert (verdict.action, verdict.assets) == (Identity.MERGE, (1,))
        assert not verdict.makes_asset

    def test_one_that_was_edited_is_left_to_people(self) -> None:
        verdict = judge(self.late(edited=True), known(1), self.own())
        assert (verdict.action, verdict.kind) == (Identity.CONFLICT, Kind.EDITED)
        assert not verdict.makes_asset

    @pytest.mark.parametrize(
        ("asset", "kind"),
        [
            ({"status": "online", "last_seen": ago(1)}, Kind.CLONE),
            ({"asset_id": 10}, Kind.NOT_NEWER),
        ],
    )
    def test_the_same_evidence_is_needed(self, asset: dict[str, Any], kind: Kind) -> None:
        verdict = judge(self.late(), known(**({"asset_id": 1} | asset)), self.own())
        assert (verdict.action, verdict.kind) == (Identity.CONFLICT, kind)

    def test_it_keeps_its_asset_where_no_other_has_the_number(self) -> None:
        verdict = judge(self.late(), self.own(), known(1, serial_number="QQ12345678"))
        assert verdict.action is Identity.KEEP

    def test_two_at_once_are_a_suggestion(self) -> None:
        late = [self.late(8), self.late(9)]
        verdicts = judge_all(late, [self.own(8), self.own(9)])
        assert [(each.action, each.kind) for each in verdicts] == [SAME_SERIAL, SAME_SERIAL]
        assert not any(each.makes_asset for each in verdicts)

    def test_two_at_once_and_an_older_asset_are_conflicts(self) -> None:
        verdicts = judge_all([self.late(8), newcomer()], [self.own(8), known(1)])
        assert [(each.action, each.kind) for each in verdicts] == [SEVERAL, SEVERAL]


def test_the_evidence_is_json_and_tells_what_is_equal() -> None:
    asset = known(5, name="OLDNAME", status="offline", make_model=None, mac_addresses={"aa"})
    verdict = judge(newcomer(mac_addresses=frozenset({"aa", "bb"})), asset)
    evidence = json.loads(json.dumps(verdict.evidence))
    assert evidence["newcomer"]["first_listed_at"] == "2026-03-02T11:00:00Z"
    [told] = evidence["assets"]
    assert told["equal"] == ["serial", "os_type", "client_id", "organization_id", "mac_addresses"]
    assert told["different"] == ["name"]
    assert (told["asset_id"], told["listed"], told["last_seen"]) == (
        5,
        True,
        "2026-03-02T10:30:00Z",
    )


def test_a_number_that_hundreds_share_stays_cheap() -> None:
    newcomers = [newcomer(f"{number:05}") for number in range(1_000)]
    assets = [known(number) for number in range(1, 1_001)]
    verdicts = judge_all(newcomers, assets)
    assert {(each.action, each.kind) for each in verdicts} == {SEVERAL}
    assert all(len(each.assets) == len(each.evidence["agents"]) == 10 for each in verdicts)
