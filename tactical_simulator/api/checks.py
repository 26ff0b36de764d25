"""Checks of an agent and their results, as far as alerts need them."""

from __future__ import annotations

from collections import Counter
from typing import Any

from tactical_simulator.fleet.records import Check
from tactical_simulator.state import State

Counts = dict[str, Any]


class CheckCounts:
    """`checks` of agents, counted once for a whole list; a cache on the real server too."""

    def __init__(self, state: State) -> None:
        self._by_agent: dict[int, Counter[str]] = {}
        for check in state.checks:
            self._by_agent.setdefault(check.agent, Counter()).update(("total", _group(check)))

    def of(self, agent_pk: int) -> Counts:
        counts = self._by_agent.get(agent_pk, Counter())
        names = ("total", "passing", "failing", "warning", "info")
        bad = counts["failing"] + counts["warning"] > 0
        return {**{name: counts[name] for name in names}, "has_failing_checks": bad}


def _group(check: Check) -> str:
    if check.result is None:
        return "pending"
    if check.result["status"] == "passing":
        return "passing"
    return {"error": "failing"}.get(check.alert_severity, check.alert_severity)


def check_json(check: Check) -> dict[str, Any]:
    return {
        "id": check.pk,
        "readable_desc": check.readable_desc,
        "check_type": check.check_type,
        "alert_severity": check.alert_severity,
        "fails_b4_alert": check.fails_b4_alert,
        "run_interval": 0,
        "email_alert": False,
        "text_alert": False,
        "dashboard_alert": False,
        "name": None,
        "agent": check.agent,
        "check_result": check.result or {},
    }
