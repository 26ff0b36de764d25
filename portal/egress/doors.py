"""One door for each set of networks that is open."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from portal.egress.door import Door
from portal.egress.policy import EgressPolicy, IpNetwork

MOST_DOORS = 64
"""A door that was not used for long goes, with the connections that it kept."""


class Doors:
    """Doors that differ in what is open to a tenant besides what is open to all.

    A kept connection is not checked again: so nobody shares a door with whom it leads further.
    May be made before a fork, as a door may.
    """

    def __init__(self, allowed: tuple[IpNetwork, ...], ca_bundle: Path | None = None) -> None:
        self.of = lru_cache(MOST_DOORS)(lambda own: Door(EgressPolicy(allowed, own), ca_bundle))
        """Networks of a tenant -> Door."""
