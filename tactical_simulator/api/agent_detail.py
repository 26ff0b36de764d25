"""What `/agents/<agent_id>/` sends beside the columns of the model."""

from __future__ import annotations

from functools import cache
from typing import Any
from zoneinfo import available_timezones

from tactical_simulator.api.alert_templates import template_json
from tactical_simulator.api.checks import CheckCounts
from tactical_simulator.fleet.agent import Agent
from tactical_simulator.fleet.derive import served_facts
from tactical_simulator.fleet.status import status_of
from tactical_simulator.state import State

ZONES = 599
DEFAULT_ZONE = "America/Los_Angeles"


def detail_extras(state: State, agent: Agent, username: str) -> dict[str, Any]:
    """Has no `serial_number`, no client id. This GET writes: the first one makes a patch policy."""
    facts = served_facts(agent.is_posix, state.agents.wmi(agent))
    del facts["serial_number"]
    policy = _patch_policy(state, agent, username)
    template = state.templates.find(state.template_of(agent.site))
    return {
        "status": status_of(agent, state.clock.datetime()),
        **facts,
        "checks": CheckCounts(state).of(agent.pk),
        "timezone": agent.time_zone or DEFAULT_ZONE,
        "all_timezones": _zones(),
        "client": state.client_of(agent).name,
        "site_name": state.sites[agent.site].name,
        "custom_fields": [],
        "applied_policies": {
            "agent_policy": None, "site_policy": None, "client_policy": None,
            "default_policy": None,
        },
        "effective_patch_policy": policy,
        "effective_default_shell": "cmd" if agent.plat == "windows" else "/bin/bash",
        "winupdatepolicy": [policy],
        "alert_template": template_json(state, template) if template else None,
    }  # fmt: skip


def _patch_policy(state: State, agent: Agent, username: str) -> dict[str, Any]:
    with state.lock:
        creator = state.patch_policies.setdefault(agent.pk, username)
    return {
        "id": agent.pk,
        "created_by": creator,
        "agent": agent.pk,
        "policy": None,
        "critical": "inherit",
        "important": "inherit",
        "moderate": "inherit",
        "low": "inherit",
        "other": "inherit",
        "run_time_frequency": "inherit",
        "run_time_hour": 3,
        "run_time_days": [],
        "reboot_after_install": "inherit",
        "reprocess_failed_inherit": True,
    }


@cache
def _zones() -> list[str]:
    zones = sorted(available_timezones())
    return (zones + [f"Etc/Extra{number}" for number in range(ZONES)])[:ZONES]
