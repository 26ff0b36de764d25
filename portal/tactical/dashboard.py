"""Addresses of Tactical's web interface, for people's browsers: the portal asks it nothing.

Its front end (amidaware/tacticalrmm-web, `src/router/routes.js`) has a page of one agent at
`/agents/<agent_id>`, and opens another one at `/takecontrol/<agent_id>` when somebody takes control
of its computer. Tactical's installer asks for three host names; its documents call that of the API
`api.` and that of the web interface `rmm.`, under one domain.
"""

from __future__ import annotations

from urllib.parse import quote, urlsplit

_API, _WEB = "api.", "rmm."


def guess_dashboard(base_url: str) -> str | None:
    """Of the address of the API; None where its host is not named as the documents have it."""
    scheme, host = urlsplit(base_url).scheme, urlsplit(base_url).netloc
    return f"{scheme}://{_WEB}{host.removeprefix(_API)}" if host.startswith(_API) else None


def agent_url(dashboard: str, agent_id: str) -> str:
    return f"{dashboard}/agents/{quote(agent_id, safe='')}"


def take_control_url(dashboard: str, agent_id: str) -> str:
    return f"{dashboard}/takecontrol/{quote(agent_id, safe='')}"
