"""Which list a sync reads, and why."""

from __future__ import annotations

from typing import Any

import pytest

from portal.tactical.agents.source import BetaUnlimited, Source, choose_source
from portal.tactical.errors import BetaOff, MissingPermission
from tactical_simulator import SimulatedTactical
from tests.tactical.talking import talking


def choose(server: SimulatedTactical, setting: str, key: str | None = None) -> Source:
    with talking(server, key or server.api_key) as api:
        return choose_source(api, setting)


@pytest.mark.parametrize(
    ("setting", "beta_enabled", "scope", "name", "restricted"),
    [
        ("auto", True, {}, "beta", False),
        ("auto", True, {"clients": [1]}, "dashboard", True),
        ("auto", True, {"sites": [1]}, "dashboard", True),
        ("auto", False, {}, "dashboard", None),
        ("auto", False, {"clients": [1]}, "dashboard", None),
        ("beta", True, {}, "beta", False),
        ("dashboard", True, {}, "dashboard", None),
        ("dashboard", False, {"clients": [1]}, "dashboard", None),
    ],
)
def test_the_choice(
    tactical: SimulatedTactical,
    setting: str,
    beta_enabled: bool,
    scope: dict[str, Any],
    name: str,
    restricted: bool | None,
) -> None:
    tactical.control.server.set(beta_enabled=beta_enabled)
    key = tactical.control.access.add_key(**scope)

    source = choose(tactical, setting, key)

    assert (source.name, source.restricted) == (name, restricted)
    assert source.reason.endswith(".")


def test_beta_by_wish_where_it_is_off_is_an_error_of_that_field(
    tactical: SimulatedTactical,
) -> None:
    tactical.control.server.set(beta_enabled=False)

    with pytest.raises(BetaOff) as caught:
        choose(tactical, "beta")

    assert caught.value.field == "inventory_source"


@pytest.mark.parametrize("scope", [{"clients": [1]}, {"sites": [1]}])
def test_beta_by_wish_is_refused_to_credentials_that_it_would_show_too_much(
    tactical: SimulatedTactical, scope: dict[str, Any]
) -> None:
    key = tactical.control.access.add_key(**scope)

    with pytest.raises(BetaUnlimited) as caught:
        choose(tactical, "beta", key)

    assert (caught.value.fault, caught.value.field) == ("beta_unlimited", "inventory_source")
    assert "limited to some clients" in caught.value.message


@pytest.mark.parametrize("setting", ["beta", "dashboard"])
def test_both_tell_the_same_organizations_and_sites(
    tactical: SimulatedTactical, setting: str
) -> None:
    inventory = choose(tactical, setting).inventory

    truth = tactical.control.truth.clients()
    assert {(o.pk, o.name, o.agent_count) for o in inventory.organizations} == {  # type: ignore[union-attr]
        (each["pk"], each["name"], each["agents"]) for each in truth
    }
    assert {(s.pk, s.name, s.organization_pk) for s in inventory.sites} == {
        (site["pk"], site["name"], each["pk"]) for each in truth for site in each["sites"]
    }


def test_a_client_made_or_removed_meanwhile_is_no_restriction(
    tactical: SimulatedTactical, monkeypatch: pytest.MonkeyPatch
) -> None:
    with talking(tactical, tactical.api_key) as api:
        get = api.get_beta_inventory
        inventories = [get()]
        gone = inventories[0].organizations[0]
        changed = [*inventories[0].sites[1:]]
        later = type(inventories[0])(inventories[0].organizations[1:], changed)
        monkeypatch.setattr(api, "get_dashboard_inventory", lambda: later)
        answers = iter([inventories[0], later])
        monkeypatch.setattr(api, "get_beta_inventory", lambda: next(answers))

        source = choose_source(api, "auto")

    assert gone not in later.organizations
    assert (source.name, source.restricted) == ("beta", False)


@pytest.mark.parametrize("permission", ["can_list_clients", "can_list_sites"])
def test_a_missing_permission_is_named(tactical: SimulatedTactical, permission: str) -> None:
    key = tactical.control.access.add_key(without=[permission])

    with pytest.raises(MissingPermission) as caught:
        choose(tactical, "beta", key)

    assert caught.value.permission == permission
