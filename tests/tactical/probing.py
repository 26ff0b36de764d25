"""Connection tests against a simulated server."""

from __future__ import annotations

from portal.tactical.agents.source import AUTO
from portal.tactical.http.session import Credentials
from portal.tactical.probe.probe import ProbeResult, Step, probe
from tactical_simulator import SimulatedTactical
from tests.tactical.talking import talking


def run(
    server: SimulatedTactical | str,
    credentials: Credentials | str | None = None,
    setting: str = AUTO,
) -> tuple[ProbeResult, list[Step]]:
    """The result, and the last state of each step."""
    shown: dict[str, Step] = {}
    if credentials is None:
        credentials = "unknown" if isinstance(server, str) else server.api_key
    with talking(server, credentials, interactive=True) as api:
        result = probe(api, lambda step: shown.update({step.name: step}), setting)
    return result, list(shown.values())


def check(
    found: tuple[ProbeResult, list[Step]], fault: str, field: str | None, step: str, words: str
) -> None:
    result, steps = found
    assert not result.ok
    assert (result.fault, result.field) == (fault, field)
    assert words in result.message
    last = steps[-1]
    assert (last.name, last.state, last.fault, last.field) == (step, "failed", fault, field)
    assert last.message == result.message
    assert {each.state for each in steps[:-1]} <= {"ok", "note", "skipped"}
    assert result.steps == tuple(steps)
