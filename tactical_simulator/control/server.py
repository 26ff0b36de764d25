"""The server as a whole: its clock and settings."""

from __future__ import annotations

from typing import Any

import msgspec

from tactical_simulator.control.part import Part
from tactical_simulator.settings import Settings


class ServerControl(Part):
    def advance(self, seconds: float) -> float:
        """Moves the clock; tokens and keys age, agents that check in do not. The new offset."""
        return self._state.clock.advance(seconds)

    def set(self, **settings: Any) -> None:
        """See `Settings`: beta_enabled, live_pace, spelling, notify_on_info_alerts, hosted …"""
        current = msgspec.to_builtins(self._state.settings)
        unknown = settings.keys() - current.keys()
        if unknown:
            raise ValueError(f"No settings: {', '.join(sorted(unknown))}.")
        self._state.settings = msgspec.convert({**current, **settings}, Settings)

    def settings(self) -> Settings:
        return self._state.settings

    def crashes(self) -> list[str]:
        """Tracebacks of answers 500 that the simulator did not mean to give."""
        return list(self._state.crashes)
