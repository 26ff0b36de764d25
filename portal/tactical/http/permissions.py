"""Which flag of a Tactical role each request needs. A superuser's role has them all."""

from __future__ import annotations

import re
from typing import NamedTuple


class Permission(NamedTuple):
    """The flag as Tactical names it, and what it lets one do."""

    flag: str
    what: str


LIST_CLIENTS = Permission("can_list_clients", "list clients")
LIST_SITES = Permission("can_list_sites", "list sites")
LIST_AGENTS = Permission("can_list_agents", "list agents")
LIST_ALERTS = Permission("can_list_alerts", "list alerts")
MANAGE_ALERTS = Permission("can_manage_alerts", "change alerts")
LIST_SOFTWARE = Permission("can_list_software", "list software")
LIST_CHECKS = Permission("can_list_checks", "list checks")
LIST_TEMPLATES = Permission("can_list_alerttemplates", "list alert templates")
MANAGE_TEMPLATES = Permission("can_manage_alerttemplates", "change alert templates")
RUN_URL_ACTIONS = Permission("can_run_urlactions", "list and run URL actions")
EDIT_SETTINGS = Permission("can_edit_core_settings", "change URL actions and settings")
MANAGE_CLIENTS = Permission("can_manage_clients", "change clients")
VIEW_KEY_STORE = Permission("can_view_global_keystore", "read the key store")
EDIT_KEY_STORE = Permission("can_edit_global_keystore", "change the key store")

# The first that fits counts.
_NEEDED = tuple(
    (re.compile(pattern), permission)
    for pattern, permission in (
        (r"GET (/beta/v1/site/|/clients/sites/)", LIST_SITES),
        (r"GET (/beta/v1/client/|/clients/)", LIST_CLIENTS),
        (r"PUT /clients/", MANAGE_CLIENTS),
        (r"GET /agents/[^/]+/checks/", LIST_CHECKS),
        (r"GET (/beta/v1/agent/|/agents/)", LIST_AGENTS),
        (r"GET /alerts/templates/", LIST_TEMPLATES),
        (r"\w+ /alerts/templates/", MANAGE_TEMPLATES),
        (r"(PATCH /alerts/$|GET /alerts/)", LIST_ALERTS),
        (r"\w+ /alerts/", MANAGE_ALERTS),
        (r"GET /software/", LIST_SOFTWARE),
        (r"(GET /core/urlaction/|\w+ /core/urlaction/run/)", RUN_URL_ACTIONS),
        (r"GET /core/keystore/", VIEW_KEY_STORE),
        (r"\w+ /core/keystore/", EDIT_KEY_STORE),
        (r"(POST|PUT|DELETE) /core/", EDIT_SETTINGS),
    )
)


def find_permission(method: str, path: str) -> Permission | None:
    """What a 403 to this request says is missing; None where that is not known."""
    request = f"{method} {path}"
    return next((needed for pattern, needed in _NEEDED if pattern.match(request)), None)
