"""The filters of `/beta/v1/agent/`: which work, which are refused, which crash the server.

All seen on a live 1.5.1 server. A parameter that is not named here is silently ignored.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
from werkzeug.datastructures import MultiDict

from tactical_simulator.answers import Crash, invalid
from tactical_simulator.fleet.agent import Agent
from tactical_simulator.fleet.bulk import VARIANTS, services_json
from tactical_simulator.state import State

Test = Callable[[Agent], bool]
Arguments = MultiDict[str, str]

_CHOICE = "Select a valid choice. That choice is not one of the available choices."
_PLATFORMS = frozenset({"windows", "linux", "darwin"})
_MONITORING = frozenset({"server", "workstation"})
_EXACT = ("hostname", "operating_system", "logged_in_username", "last_logged_in_user")


def agent_tests(state: State, arguments: Arguments) -> list[Test]:
    """The conditions that the query sets; none for a query without filters."""
    if "agent_id" in arguments:
        raise Crash("KeyError: 'pk' in get_serializer_class")
    if arguments.get("total_ram_range_min") and arguments.get("total_ram_range_max"):
        raise Crash("the lookup 'range' of an integer")
    tests: list[Test] = []
    for name in _EXACT:
        if arguments.get(name):
            tests.append(_equals(name, arguments[name]))
    tests += _choices(arguments)
    tests += _places(state, arguments)
    tests += _numbers(arguments)
    tests += _ranges(arguments, "last_seen")
    tests += _ranges(arguments, "patches_last_installed")
    tests += [_contains(word) for word in arguments.get("search", "").replace(",", " ").split()]
    return tests


def _equals(name: str, value: Any) -> Test:
    return lambda agent: bool(getattr(agent, name) == value)


def _choices(arguments: Arguments) -> list[Test]:
    tests = []
    for name, choices in (("plat", _PLATFORMS), ("monitoring_type", _MONITORING)):
        value = arguments.get(name, "")
        if value and value not in choices:
            raise invalid(name, _CHOICE.replace("That choice", value))
        if value:
            tests.append(_equals(name, value))
    reboot = {"true": True, "false": False}.get(arguments.get("needs_reboot", "").lower())
    if reboot is not None:
        tests.append(_equals("needs_reboot", reboot))
    return tests


def _places(state: State, arguments: Arguments) -> list[Test]:
    tests: list[Test] = []
    site = arguments.get("site", "")
    if site and _whole(site) not in state.sites:
        raise invalid("site", _CHOICE)
    if site:
        tests.append(_equals("site", _whole(site)))
    template = arguments.get("alert_template", "")
    if template and state.templates.find(_whole(template)) is None:
        raise invalid("alert_template", _CHOICE)
    if template:
        tests.append(lambda agent: state.template_of(agent.site) == _whole(template))
    if arguments.get("policy"):
        raise invalid("policy", _CHOICE)
    client = _number(arguments, "client_id")
    if client:  # 0 and blank list every agent
        tests.append(lambda agent: state.sites[agent.site].client == client)
    return tests


def _numbers(arguments: Arguments) -> list[Test]:
    tests: list[Test] = []
    pk = _number(arguments, "id")
    if pk is not None:
        tests.append(lambda agent: agent.pk == pk)
    least, most = (_number(arguments, f"total_ram_range_{end}") for end in ("min", "max"))
    if least is not None:
        tests.append(lambda agent: (agent.total_ram or 0) >= least)
    if most is not None:
        tests.append(lambda agent: (agent.total_ram or 0) <= most)
    return tests


def _ranges(arguments: Arguments, column: str) -> list[Test]:
    """An agent without the time drops out."""
    after = _time(arguments, column, "after")
    before = _time(arguments, column, "before")
    if after is None and before is None:
        return []

    def test(agent: Agent) -> bool:
        value: datetime | None = getattr(agent, column)
        if value is None:
            return False
        return (after is None or value >= after) and (before is None or value <= before)

    return [test]


def _time(arguments: Arguments, column: str, end: str) -> datetime | None:
    text = arguments.get(f"{column}_range_{end}", "")
    if not text:
        return None
    try:
        # A plus in a query is a blank by the time it gets here.
        time = datetime.fromisoformat(text.replace(" 00:00", "+00:00"))
    except ValueError:
        raise invalid(f"{column}_range", "Enter a valid date/time.") from None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _contains(word: str) -> Test:
    """Looks into host names and the whole of `services`, and nowhere else."""
    wanted = word.lower()
    found_in = {
        variant
        for variant in range(VARIANTS)
        if msgspec.json.encode(word)[1:-1].lower() in services_json(variant).lower()
    }

    def test(agent: Agent) -> bool:
        in_services = agent.plat == "windows" and agent.pk % VARIANTS in found_in
        return in_services or wanted in agent.hostname.lower()

    return test


def _number(arguments: Arguments, name: str) -> int | None:
    text = arguments.get(name, "")
    if not text:
        return None
    try:
        return int(float(text))
    except ValueError:
        raise invalid(name, "Enter a number.") from None


def _whole(text: str) -> int:
    return int(text) if text.isdecimal() else -1
