"""An agent as the API's different serializers show it."""

from __future__ import annotations

from typing import Any

import msgspec

from tactical_simulator.answers import Row
from tactical_simulator.clock import moment
from tactical_simulator.fleet.agent import Agent
from tactical_simulator.fleet.bulk import VARIANTS, services_json, wmi_sections_json
from tactical_simulator.fleet.dice import letters
from tactical_simulator.state import State

Json = Any

_encode = msgspec.json.encode


def model_row(state: State, agent: Agent) -> Row:
    """Every column of the model, as the beta list sends them."""
    stamps = _stamps(agent)
    return _spliced(state, agent, {"id": agent.pk, **stamps}, {
        "default_shell": "system", "default_shell_custom": None, **_relations(state, agent),
    })  # fmt: skip


def beta_detail_row(state: State, agent: Agent, extra: dict[str, Json]) -> Row:
    """The beta detail lacks the id, the stamps and the shells, and has derived facts."""
    relations = {"hex_mesh_node_id": _mesh_node(agent).encode().hex(), **_relations(state, agent)}
    return _spliced(state, agent, {}, {**relations, **extra})


def agent_detail_row(state: State, agent: Agent, extra: dict[str, Json]) -> Row:
    """`/agents/<agent_id>/`: all columns but the id, and a lot besides."""
    tail = {"default_shell": "system", "default_shell_custom": None, **_relations(state, agent)}
    return _spliced(state, agent, _stamps(agent), {**tail, **extra})


def _spliced(state: State, agent: Agent, first: dict[str, Json], last: dict[str, Json]) -> Row:
    """One object out of encoded members, with the shared blocks in their places."""
    row: list[bytes] = [_encode({**first, **_before_services(agent)})[:-1], b',"services":']
    row.append(_services(state, agent))
    row += [b",", _encode(_after_services(agent))[1:-1], b',"wmi_detail":']
    row += _wmi(state, agent)
    row += [b",", _encode({**_after_wmi(agent), **last})[1:]]
    return row


def _services(state: State, agent: Agent) -> bytes:
    edited = state.agents.edits.get(agent.pk, {})
    if "services" in edited:
        return _encode(edited["services"])
    return b"null" if agent.is_posix else services_json(agent.pk % VARIANTS)


def _wmi(state: State, agent: Agent) -> list[bytes]:
    detail = state.agents.wmi(agent)
    own = _encode(detail)
    is_edited = "wmi_detail" in state.agents.edits.get(agent.pk, {})
    if agent.is_posix or is_edited or not isinstance(detail, dict):
        return [own]
    bulk = wmi_sections_json(agent.pk % VARIANTS)
    return [own[:-1], b"," if detail else b"", bulk, b"}"]


def _stamps(agent: Agent) -> dict[str, Json]:
    created = moment(agent.created)
    return {
        "created_by": None,
        "created_time": created,
        "modified_by": None,
        "modified_time": created,
    }


def _before_services(agent: Agent) -> dict[str, Json]:
    return {
        "version": agent.version,
        "operating_system": agent.operating_system,
        "plat": agent.plat,
        "goarch": agent.goarch,
        "hostname": agent.hostname,
        "agent_id": agent.agent_id,
        "last_seen": agent.last_seen,
    }


def _after_services(agent: Agent) -> dict[str, Json]:
    return {
        "public_ip": agent.public_ip,
        "total_ram": agent.total_ram,
        "disks": agent.disks,
        "boot_time": agent.boot_time,
        "logged_in_username": agent.logged_in_username,
        "last_logged_in_user": agent.last_logged_in_user,
        "monitoring_type": agent.monitoring_type,
        "description": agent.description,
        "mesh_node_id": _mesh_node(agent),
        "overdue_email_alert": False,
        "overdue_text_alert": False,
        "overdue_dashboard_alert": agent.overdue_dashboard_alert,
        "offline_time": agent.offline_time,
        "overdue_time": agent.overdue_time,
        "check_interval": 120,
        "needs_reboot": agent.needs_reboot,
        "choco_installed": agent.choco_installed,
    }


def _after_wmi(agent: Agent) -> dict[str, Json]:
    return {
        "patches_last_installed": agent.patches_last_installed,
        "time_zone": agent.time_zone,
        "maintenance_mode": agent.maintenance_mode,
        "block_policy_inheritance": agent.block_policy_inheritance,
    }


def _relations(state: State, agent: Agent) -> dict[str, Json]:
    return {
        "alert_template": state.template_of(agent.site),
        "site": agent.site,
        "policy": None,
    }


def _mesh_node(agent: Agent) -> str:
    return letters(64, "mesh", agent.agent_id)
