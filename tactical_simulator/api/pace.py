"""How long a live server takes over a list before it sends the first byte, a row.

Measured on a live server 1.5.1 with a local database; a plain list of ids is quick anywhere.
"""

from __future__ import annotations

from typing import Final

from tactical_simulator.state import State

BETA_AGENT: Final = 0.008
"""Seconds, as below: 111 KB are put together."""
AGENT: Final = 0.003
SOFTWARE: Final = 0.0012
ALERT: Final = 0.009
"""Several queries for each."""


def take_time(state: State, row_seconds: float, rows: int) -> None:
    """Nothing unless the setting `live_pace` asks for it."""
    if state.settings.live_pace:
        state.stopping.wait(row_seconds * rows)
