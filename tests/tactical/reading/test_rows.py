"""Rows of four endpoints read into one normal form, and rows that cannot be."""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from portal.tactical.reading import wmi
from portal.tactical.reading.rows import (
    read_agent_detail,
    read_beta_agent,
    read_dashboard_agent,
    read_organization,
    read_site,
)
from portal.tactical.records import (
    BadRecord,
    TacticalAgent,
    TacticalOrganization,
    TacticalSite,
    only_good,
)
from portal.tactical.status import AgentStatus

SITES = {3: TacticalSite(3, "HQ", 2)}
PLACES = {("Söhne & Co", "HQ"): (2, 3, "HQ")}

IDENTITY: dict[str, Any] = {"agent_id": "a" * 40, "hostname": "PC-1", "plat": "windows"}
BETA = {**IDENTITY, "id": 7, "site": 3}
DASHBOARD = {**IDENTITY, "client_name": "Söhne & Co", "site_name": "HQ"}


def beta(**values: Any) -> TacticalAgent:
    agent = read_beta_agent(json.dumps({**BETA, **values}).encode(), SITES)
    assert isinstance(agent, TacticalAgent)
    return agent


def dashboard(**values: Any) -> TacticalAgent:
    agent = read_dashboard_agent(json.dumps({**DASHBOARD, **values}).encode(), PLACES)
    assert isinstance(agent, TacticalAgent)
    return agent


def detail(**values: Any) -> TacticalAgent:
    agent = read_agent_detail(json.dumps({**BETA, **values}).encode(), SITES)
    assert isinstance(agent, TacticalAgent)
    return agent


# --- What is carried ------------------------------------------------------------------------


def test_what_a_row_does_not_carry_is_unset_and_what_it_leaves_open_is_empty() -> None:
    optional = {field.name for field in fields(TacticalAgent) if field.default is UNSET}

    for bare in (beta(), dashboard(), detail()):
        assert {name for name in optional if getattr(bare, name) is not UNSET} == set()
        assert (bare.organization_pk, bare.site_pk, bare.site_name) == (2, 3, "HQ")

    sent = "public_ip description wmi_detail logged_in_username total_ram boot_time needs_reboot"
    empty = beta(**dict.fromkeys(sent.split()))
    assert empty.public_ip == empty.description == empty.logged_in_user == ""
    assert empty.serial_number == empty.make_model == empty.local_ips == empty.graphics == ""
    assert empty.cpu == empty.physical_disks == ()
    assert (empty.ram_gb, empty.boot_time, empty.needs_reboot) == (None, None, None)


def test_only_the_beta_list_has_the_pk() -> None:
    assert (beta().pk, dashboard().pk, detail().pk) == (7, None, None)
    assert detail().serial_number is UNSET


def test_limits_and_memory_are_the_beta_api_s() -> None:
    values = {"total_ram": 16, "offline_time": 4, "overdue_time": 0}

    agent = beta(**values)

    assert (agent.ram_gb, agent.offline_minutes, agent.overdue_minutes) == (16, 4, 0)
    assert detail(**values).ram_gb == 16
    assert beta(status="online").status is UNSET
    assert dashboard(status="overdue").status is AgentStatus.OVERDUE
    assert dashboard(status="asleep").status is AgentStatus.UNKNOWN


@pytest.mark.parametrize(
    ("name", "italic", "expected"),
    [
        ("jsmith", False, "jsmith"),
        ("jsmith", True, ""),  # who was on last
        ("-", False, ""),
        ("None", False, ""),
        (None, False, ""),
        (None, True, ""),
        (17, False, "17"),
    ],
)
def test_nobody_is_nobody_however_it_is_said(name: Any, italic: bool, expected: str) -> None:
    assert dashboard(logged_username=name, italic=italic).logged_in_user == expected
    assert beta(logged_in_username=name).logged_in_user == (expected if not italic else name or "")


def test_times_are_utc() -> None:
    agent = beta(last_seen="2026-11-23 05:15:22+02:00", boot_time=1794914122.5)

    assert agent.last_seen == datetime(2026, 11, 23, 3, 15, 22, tzinfo=UTC)
    assert agent.boot_time == datetime(2026, 11, 17, 11, 15, 22, 500000, UTC)
    assert beta(last_seen="junk", boot_time="junk").last_seen is None


def test_a_wrong_type_of_an_optional_field_is_empty() -> None:
    odd = (
        "hostname monitoring_type plat operating_system version public_ip description "
        "maintenance_mode total_ram offline_time boot_time last_seen wmi_detail"
    )

    agent = beta(**{name: {"odd": [1]} for name in odd.split()})

    assert agent.hostname == "a" * 40
    assert agent.operating_system == agent.version == agent.public_ip == agent.description == ""
    assert (agent.maintenance_mode, agent.ram_gb, agent.last_seen) == (None, None, None)


# --- What cannot be used --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "reason", "hint"),
    [
        (b"", "cannot be read", ""),
        (b"17", "cannot be read", ""),
        (b"null", "cannot be read", ""),
        (b'"text"', "cannot be read", ""),
        (json.dumps({**BETA, "agent_id": None}).encode(), "no usable agent_id", "PC-1"),
        (json.dumps({**BETA, "agent_id": 17}).encode(), "no usable agent_id", "PC-1"),
        (json.dumps({**BETA, "agent_id": " \0 "}).encode(), "no usable agent_id", "PC-1"),
        (json.dumps({**BETA, "agent_id": "a" * 201}).encode(), "no usable agent_id", "PC-1"),
        (json.dumps({**BETA, "site": 9}).encode(), "site 9 is not among", "PC-1"),
        (json.dumps({**BETA, "site": "HQ"}).encode(), "site None is not among", "PC-1"),
        (json.dumps({**BETA, "site": None, "hostname": 1}).encode(), "site None", "a" * 40),
        (json.dumps({**BETA, "site": None, "hostname": "x" * 999}).encode(), "", "x" * 80),
    ],
)
def test_a_row_that_cannot_be_used_says_why_and_what_it_was(
    raw: bytes, reason: str, hint: str
) -> None:
    bad = read_beta_agent(raw, SITES)

    assert isinstance(bad, BadRecord)
    assert reason in bad.reason
    assert bad.hint == hint


def test_a_row_of_an_unknown_place_cannot_be_used() -> None:
    for name in ("Another", None, 17):
        raw = json.dumps({**DASHBOARD, "client_name": name}).encode()
        assert isinstance(read_dashboard_agent(raw, PLACES), BadRecord)


@pytest.mark.parametrize("found", [None, 17, [], {}, {"id": 1}, {"id": "1", "name": "x"}])
def test_organizations_and_sites_without_id_or_name(found: Any) -> None:
    assert isinstance(read_organization(found), BadRecord)
    assert isinstance(read_site(found), BadRecord)
    assert only_good([read_site(found), SITES[3]]) == [SITES[3]]


def test_organizations_and_sites() -> None:
    organization = read_organization({"id": 2, "name": " Söhne & Co\0 ", "agent_count": 75})

    assert organization == TacticalOrganization(2, "Söhne & Co", 75)
    assert read_organization({"id": 2, "name": "x"}) == TacticalOrganization(2, "x", None)
    assert read_site({"id": 3, "name": "HQ", "client": 2}) == SITES[3]


# --- Anything at all ------------------------------------------------------------------------

WORDS = (
    "bios comp_sys comp_sys_prod base_board cpu network_config graphics disk serialnumber "
    "make_model cpus gpus disks local_ips SerialNumber Vendor Version Model SystemFamily Product "
    "Manufacturer Name NumberOfCores NumberOfLogicalProcessors IPAddress Caption Size "
    "InterfaceType"
)
KEYS = st.sampled_from(WORDS.split())
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | st.sampled_from(["To be filled", "Lenovo", "USB", "10.0.0.1", 9223372036854776000])
)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=6),
    max_leaves=30,
)
DETAIL = ANYTHING | st.dictionaries(
    KEYS, st.lists(st.lists(st.dictionaries(KEYS, ANYTHING, max_size=3), max_size=3), max_size=3)
)
FACTS = (wmi.serial_number, wmi.make_model, wmi.local_ips, wmi.graphics)
LISTS = (wmi.cpu_models, wmi.physical_disks)


@given(st.sampled_from(["windows", "linux", "darwin", ""]), DETAIL)
def test_anything_gives_clean_text(plat: str, detail: Any) -> None:
    texts = [fact(plat, detail) for fact in FACTS]
    for listed in LISTS:
        texts += listed(plat, detail)

    for text in texts:
        assert text == text.strip()
        assert not set(text) & {"\0", "\n", "\ud800"}


@given(DETAIL)
def test_anything_in_a_row_costs_the_row_nothing(detail: Any) -> None:
    row = {"id": 1, "agent_id": "a" * 40, "hostname": "PC", "site": 3, "plat": "windows"}
    raw = json.dumps({**row, "wmi_detail": detail, "services": detail}).encode()

    agent = read_beta_agent(raw, {3: TacticalSite(3, "HQ", 2)})

    assert not isinstance(agent, BadRecord)
    assert (agent.hostname, agent.organization_pk) == ("PC", 2)
