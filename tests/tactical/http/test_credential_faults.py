"""What the credentials may do, and what can be wrong with them: each its own word and message."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tactical_simulator import FleetSpec, SimulatedTactical
from tests.tactical.probing import check, run
from tests.tactical.talking import admin, api_user

# --- All is well ----------------------------------------------------------------------------


@pytest.mark.parametrize("user", [lambda _: None, api_user], ids=["key", "password"])
def test_everything_works(
    tactical: SimulatedTactical, user: Callable[[SimulatedTactical], Any]
) -> None:
    result, steps = run(tactical, user(tactical))

    assert result.ok
    assert [(s.name, s.state) for s in steps] == [
        ("address", "ok"),
        ("tls", "skipped"),
        *(
            (name, "ok")
            for name in (
                "api_host",
                "credentials",
                "clients",
                "sites",
                "agents",
                "alerts",
                "software",
                "beta",
                "version",
            )
        ),
    ]
    assert "3 organizations and 24 agents" in result.message
    assert (result.beta_api, result.restricted, result.server_version) == (True, False, "1.5.1")
    assert result.agent_ids == set(tactical.control.agents.ids())
    truth = tactical.control.truth.clients()
    assert set(result.organizations) == {(client["pk"], client["name"]) for client in truth}


def test_a_beta_api_that_is_off_is_a_note(tactical: SimulatedTactical) -> None:
    tactical.control.server.set(beta_enabled=False)

    result, steps = run(tactical)

    (beta,) = [step for step in steps if step.name == "beta"]
    assert result.ok
    assert (result.beta_api, result.restricted) == (False, None)
    assert (beta.state, beta.fault) == ("note", None)
    assert "switched off" in beta.message


def test_credentials_for_some_clients_are_told(tactical: SimulatedTactical) -> None:
    result, steps = run(tactical, tactical.control.access.add_key(clients=[1]))

    (beta,) = [step for step in steps if step.name == "beta"]
    assert result.ok
    assert result.restricted
    assert len(result.organizations) == 1
    assert beta.state == "note"
    assert "limited to some clients" in beta.message


def test_the_beta_api_by_wish_fails_the_test_where_no_sync_would_read_it(
    tactical: SimulatedTactical,
) -> None:
    assert run(tactical, setting="beta")[0].ok

    limited = run(tactical, tactical.control.access.add_key(clients=[1]), "beta")
    check(limited, "beta_unlimited", "inventory_source", "beta", "limited to some clients")

    tactical.control.server.set(beta_enabled=False)
    check(run(tactical, setting="beta"), "beta_off", "inventory_source", "beta", "switched off")


def test_a_server_without_agents_is_a_note() -> None:
    with SimulatedTactical(FleetSpec(clients=1, sites=1, agents=0)) as server:
        result, steps = run(server)

    assert result.ok
    assert [step.state for step in steps if step.name == "agents"] == ["note"]


def test_a_version_that_is_not_told_is_a_note(tactical: SimulatedTactical) -> None:
    tactical.control.faults.add("status", "/core/dashinfo/", status=500, times=None)

    result, steps = run(tactical)

    assert result.ok
    assert result.server_version is None
    assert steps[-1].state == "note"


# --- The credentials ------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["unknown", "two words", "schlüssel", "a\r\nX: b"])
def test_a_wrong_key(tactical: SimulatedTactical, key: str) -> None:
    check(run(tactical, key), "wrong_key", "api_key", "credentials", "does not know this API key")


def test_an_expired_key(tactical: SimulatedTactical) -> None:
    key = tactical.control.access.add_key(expires_in=-1)

    check(run(tactical, key), "expired_key", "api_key", "credentials", "has expired")


def test_a_key_of_an_inactive_user(tactical: SimulatedTactical) -> None:
    key = tactical.control.access.add_key(active=False)

    check(run(tactical, key), "inactive_user", "api_key", "credentials", "inactive or deleted")


def test_a_wrong_password(tactical: SimulatedTactical) -> None:
    user = api_user(tactical)
    tactical.control.access.edit_user("apiuser", password="changed")

    found = run(tactical, user)

    check(found, "wrong_password", "password", "credentials", "rejected this username")


def test_a_code_that_is_needed(tactical: SimulatedTactical) -> None:
    check(run(tactical, admin(tactical)), "totp_needed", "totp_code", "credentials", "code")


def test_a_code_that_is_wrong(tactical: SimulatedTactical) -> None:
    user = admin(tactical, totp_code="000000")

    check(run(tactical, user), "totp_wrong", "totp_code", "credentials", "rejected the one-time")


def test_too_many_sign_ins(tactical: SimulatedTactical) -> None:
    for _ in range(10):
        assert run(tactical, api_user(tactical))[0].ok

    found = run(tactical, api_user(tactical))

    check(found, "login_throttled", None, "credentials", "Try again in 1 minute")


# --- Permissions ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("permission", "step"),
    [
        ("can_list_clients", "clients"),
        ("can_list_sites", "sites"),
        ("can_list_agents", "agents"),
        ("can_list_alerts", "alerts"),
        ("can_list_software", "software"),
    ],
)
@pytest.mark.parametrize("beta", [True, False])
def test_each_missing_permission_is_named(
    tactical: SimulatedTactical, permission: str, step: str, beta: bool
) -> None:
    tactical.control.server.set(beta_enabled=beta)
    key = tactical.control.access.add_key(without=[permission])

    check(run(tactical, key), "missing_permission", None, step, f"Switch on {permission} ")


def test_a_role_without_any_permission_names_the_first(tactical: SimulatedTactical) -> None:
    key = tactical.control.access.add_key(permissions=[])

    check(run(tactical, key), "missing_permission", None, "clients", "can_list_clients")
