"""What a simulated server holds: everything else follows from this and the seed."""

from __future__ import annotations

from dataclasses import dataclass

MOST_AGENTS = 50_000


@dataclass(frozen=True, slots=True)
class FleetSpec:
    """Two servers with equal specs (epoch included) hold equal data; another seed, none of it.

    `windows` and `linux` are percents, the rest are Macs. `titles` is the mean number of
    software entries of an agent. `frozen` agents never check in: `last_seen` stays where it was
    at `epoch`, so that two syncs read identical rows. `epoch` (seconds since 1970) is the moment
    that all generated times count from; None means the moment the server is made.
    """

    seed: int = 3
    clients: int = 6
    sites: int = 18
    agents: int = 250
    windows: int = 80
    linux: int = 10
    titles: int = 114
    alerts: int = 0
    beta_enabled: bool = True
    frozen: bool = False
    epoch: float | None = None

    def __post_init__(self) -> None:
        if not 0 < self.clients <= self.sites:
            raise ValueError("A fleet needs at least one client, and a site for each client.")
        if not 0 <= self.agents <= MOST_AGENTS:
            raise ValueError(f"A fleet has at most {MOST_AGENTS} agents.")
        if self.windows < 0 or self.linux < 0 or self.windows + self.linux > 100:
            raise ValueError("The percents of Windows and Linux make at most 100.")
