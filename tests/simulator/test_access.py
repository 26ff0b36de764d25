"""Who gets in, who may do what, and what a scoped key sees."""

from __future__ import annotations

from typing import Any

import pytest

from tactical_simulator import SimulatedTactical
from tests.simulator.api import Api

NOT_PROVIDED = "Authentication credentials were not provided."


def test_anyone_reads_the_root(tactical: SimulatedTactical) -> None:
    with Api(tactical.url) as nobody:
        assert nobody.rows("/") == {"status": "ok"}


@pytest.mark.parametrize(
    ("headers", "detail"),
    [
        ({}, NOT_PROVIDED),
        ({"X-API-KEY": "unknown"}, "Invalid token."),
        ({"Authorization": "Token unknown"}, "Invalid token."),
        ({"Authorization": "Bearer unknown"}, NOT_PROVIDED),
    ],
)
def test_refused_credentials(
    tactical: SimulatedTactical, headers: dict[str, str], detail: str
) -> None:
    with Api(tactical.url) as nobody:
        response = nobody.get("/core/version/", headers=headers)
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == "Token"
    assert response.json() == {"detail": detail}


@pytest.mark.parametrize(
    ("options", "detail"),
    [
        ({"expires_in": -1}, "The token has expired."),
        ({"active": False}, "User inactive or deleted."),
    ],
)
def test_key_that_was_good_once(
    tactical: SimulatedTactical, options: dict[str, Any], detail: str
) -> None:
    key = tactical.control.access.add_key(**options)
    with Api(tactical.url, key) as api:
        response = api.get("/core/version/")
    assert (response.status_code, response.json()) == (401, {"detail": detail})


def test_key_expires_with_the_clock(tactical: SimulatedTactical) -> None:
    key = tactical.control.access.add_key(expires_in=60)
    with Api(tactical.url, key) as api:
        assert api.get("/core/version/").status_code == 200
        tactical.control.server.advance(61)
        assert api.get("/core/version/").status_code == 401


def test_bad_token_beside_good_key_is_refused(api: Api) -> None:
    response = api.get("/core/version/", headers={"Authorization": "Token dead"})
    assert (response.status_code, response.json()) == (401, {"detail": "Invalid token."})


@pytest.mark.parametrize("path", ["/core/version/", "/core/dashinfo/"])
def test_versions_need_no_permission(tactical: SimulatedTactical, path: str) -> None:
    with Api(tactical.url, tactical.control.access.add_key(permissions=[])) as api:
        assert api.get(path).status_code == 200


def test_versions(api: Api) -> None:
    assert api.rows("/core/version/") == "0.0.203"
    assert api.rows("/core/dashinfo/")["trmm_version"] == "1.5.1"


PERMISSIONS = [
    ("GET", "/agents/", "can_list_agents"),
    ("GET", "/beta/v1/agent/", "can_list_agents"),
    ("GET", "/beta/v1/agent/1/", "can_list_agents"),
    ("GET", "/clients/", "can_list_clients"),
    ("GET", "/beta/v1/client/", "can_list_clients"),
    ("GET", "/clients/sites/", "can_list_sites"),
    ("GET", "/beta/v1/site/", "can_list_sites"),
    ("PATCH", "/alerts/", "can_list_alerts"),
    ("GET", "/alerts/1/", "can_list_alerts"),
    ("PUT", "/alerts/1/", "can_manage_alerts"),
    ("POST", "/alerts/bulk/", "can_manage_alerts"),
    ("GET", "/software/", "can_list_software"),
    ("GET", "/core/urlaction/", "can_run_urlactions"),
    ("POST", "/core/urlaction/", "can_edit_core_settings"),
    ("POST", "/core/urlaction/run/test/", "can_run_urlactions"),
    ("GET", "/alerts/templates/", "can_list_alerttemplates"),
    ("POST", "/alerts/templates/", "can_manage_alerttemplates"),
    ("GET", "/core/keystore/", "can_view_global_keystore"),
    ("POST", "/core/keystore/", "can_edit_global_keystore"),
    ("GET", "/core/settings/", "can_view_core_settings"),
    ("PUT", "/core/settings/", "can_edit_core_settings"),
    ("PUT", "/clients/1/", "can_manage_clients"),
]


@pytest.mark.parametrize(("method", "path", "permission"), PERMISSIONS)
def test_permission_is_needed(
    tactical: SimulatedTactical, method: str, path: str, permission: str
) -> None:
    forbidden = {"detail": "You do not have permission to perform this action."}
    with Api(tactical.url, tactical.control.access.add_key(without=[permission])) as api:
        response = api.request(method, path)
    assert (response.status_code, response.json()) == (403, forbidden)


def test_user_without_a_role_may_nothing(tactical: SimulatedTactical) -> None:
    tactical.control.access.add_user("nobody", "x")
    key = tactical.control.access.add_key(user="nobody")
    with Api(tactical.url, key) as api:
        assert api.get("/agents/").status_code == 403


def test_missing_agent_is_told_only_to_who_may_list(tactical: SimulatedTactical) -> None:
    path = f"/agents/{'x' * 40}/"
    with Api(tactical.url, tactical.control.access.add_key()) as api:
        response = api.get(path)
    assert response.json() == {"detail": "No Agent matches the given query."}
    with Api(tactical.url, tactical.control.access.add_key(permissions=[])) as api:
        assert api.get(path).status_code == 403


def test_scope_limits_everything_but_beta(tactical: SimulatedTactical) -> None:
    control = tactical.control
    mine, other = control.truth.clients()[:2]
    outside = next(a for a in control.truth.agents() if a["client_pk"] == other["pk"])
    inside = next(a for a in control.truth.agents() if a["client_pk"] == mine["pk"])
    for agent in (inside, outside):
        control.alerts.trigger(agent["agent_id"], send=False)
    with Api(tactical.url, control.access.add_key(clients=[mine["pk"]])) as api:
        assert len(api.rows("/agents/")) == mine["agents"]
        assert len(api.rows("/agents/?detail=false")) == mine["agents"]
        assert [client["id"] for client in api.rows("/clients/")] == [mine["pk"]]
        assert len(api.rows("/clients/sites/")) == len(mine["sites"])
        assert len(api.patch("/alerts/").json()) == 1
        assert api.get(f"/agents/{outside['agent_id']}/").status_code == 403
        assert api.get(f"/clients/{other['pk']}/").status_code == 403
        assert api.rows("/beta/v1/agent/")["count"] == 60
        assert len(api.rows("/beta/v1/client/")) == 4
        assert api.get(f"/beta/v1/agent/{outside['pk']}/").status_code == 200
        assert api.get(f"/beta/v1/client/{other['pk']}/").status_code == 403
        assert api.get(f"/beta/v1/agent/?agent_id={outside['agent_id']}").status_code == 403
        assert api.get("/beta/v1/agent/?agent_id=unknown").status_code == 404


def test_scope_by_site(tactical: SimulatedTactical) -> None:
    client = tactical.control.truth.clients()[0]
    site = client["sites"][0]
    with Api(tactical.url, tactical.control.access.add_key(sites=[site["pk"]])) as api:
        assert len(api.rows("/agents/")) == site["agents"]
        [seen] = api.rows("/clients/")
    assert [nested["id"] for nested in seen["sites"]] == [site["pk"]]
