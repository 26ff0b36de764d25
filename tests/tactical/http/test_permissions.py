"""Which flag of a role each request needs."""

from __future__ import annotations

import pytest

from portal.tactical.http.permissions import find_permission


@pytest.mark.parametrize(
    ("request_line", "flag"),
    [
        ("GET /clients/", "can_list_clients"),
        ("GET /clients/sites/", "can_list_sites"),
        ("GET /beta/v1/client/", "can_list_clients"),
        ("GET /beta/v1/site/", "can_list_sites"),
        ("GET /beta/v1/agent/", "can_list_agents"),
        ("GET /beta/v1/agent/7/", "can_list_agents"),
        ("GET /agents/", "can_list_agents"),
        ("GET /agents/XucQ/", "can_list_agents"),
        ("GET /agents/XucQ/checks/", "can_list_checks"),
        ("PATCH /alerts/", "can_list_alerts"),
        ("GET /alerts/7/", "can_list_alerts"),
        ("PUT /alerts/7/", "can_manage_alerts"),
        ("POST /alerts/bulk/", "can_manage_alerts"),
        ("GET /alerts/templates/", "can_list_alerttemplates"),
        ("POST /alerts/templates/", "can_manage_alerttemplates"),
        ("GET /software/", "can_list_software"),
        ("GET /software/XucQ/", "can_list_software"),
        ("GET /core/urlaction/", "can_run_urlactions"),
        ("POST /core/urlaction/", "can_edit_core_settings"),
        ("POST /core/urlaction/run/test/", "can_run_urlactions"),
        ("GET /core/keystore/", "can_view_global_keystore"),
        ("PUT /core/keystore/3/", "can_edit_global_keystore"),
        ("GET /core/version/", None),
        ("GET /", None),
    ],
)
def test_which_permission_a_request_needs(request_line: str, flag: str | None) -> None:
    found = find_permission(*request_line.split(" "))

    assert (found and found.flag) == flag
