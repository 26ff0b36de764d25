"""The shapes of Tactical's rows: which of their keys are looked at.

Everything is optional and of any type on purpose: one odd value must cost itself alone. What
is not named here is skipped as text and never becomes an object: `services`, most of
`wmi_detail`.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

any_decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder()


class AgentRow(msgspec.Struct, gc=False):
    """The keys of an agent in all four endpoints. UNSET is what an endpoint does not carry."""

    id: Any = None
    agent_id: Any = None
    hostname: Any = None
    site: Any = None
    site_name: Any = None
    client_name: Any = None
    client: Any = None
    monitoring_type: Any = None
    plat: Any = None
    last_seen: Any = None
    boot_time: Any = UNSET
    operating_system: Any = UNSET
    version: Any = UNSET
    wmi_detail: msgspec.Raw | UnsetType = UNSET
    make_model: Any = UNSET
    serial_number: Any = UNSET
    cpu_model: Any = UNSET
    graphics: Any = UNSET
    physical_disks: Any = UNSET
    local_ips: Any = UNSET
    public_ip: Any = UNSET
    logged_in_username: Any = UNSET
    logged_username: Any = UNSET
    italic: Any = None
    description: Any = UNSET
    maintenance_mode: Any = UNSET
    needs_reboot: Any = UNSET
    total_ram: Any = UNSET
    offline_time: Any = UNSET
    overdue_time: Any = UNSET
    status: Any = UNSET


class Sections(msgspec.Struct, gc=False):
    """The parts of `wmi_detail` that anything is derived from."""

    bios: Any = None
    comp_sys: Any = None
    comp_sys_prod: Any = None
    base_board: Any = None
    cpu: Any = None
    network_config: Any = None
    graphics: Any = None
    disk: Any = None
    serialnumber: Any = None
    make_model: Any = None
    cpus: Any = None
    gpus: Any = None
    disks: Any = None
    local_ips: Any = None


class PkRow(msgspec.Struct, gc=False):
    """An element of `agents/?detail=false`."""

    id: Any = None
    agent_id: Any = None


agent_decoder = msgspec.json.Decoder(AgentRow)
sections_decoder = msgspec.json.Decoder(Sections)
pk_decoder = msgspec.json.Decoder(PkRow)
