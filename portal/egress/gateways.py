"""One gateway for each set of open networks."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from portal.egress.gateway import Gateway
from portal.egress.policy import EgressPolicy, IpNetwork

MOST_GATEWAYS = 64
"""The one that was not used for longest goes, with the connections that it kept."""


class Gateways:
    """Gateways that differ in what is open to a tenant besides what is open to all.

    A kept connection is not checked again: so tenants share a gateway only when the same networks
    are open to them. It may be made before a fork.
    """

    def __init__(
        self,
        allowed: tuple[IpNetwork, ...],
        ca_bundle: Path | None = None,
        plain: tuple[IpNetwork, ...] = (),
    ) -> None:
        self.of = lru_cache(MOST_GATEWAYS)(
            lambda own: Gateway(EgressPolicy(allowed, own, plain), ca_bundle)
        )
        """Networks of a tenant -> Gateway."""
