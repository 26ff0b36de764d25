"""Where Tactical's own pages of an agent are."""

from __future__ import annotations

from dataclasses import dataclass

from portal.models import Asset, Integration
from portal.tactical.dashboard import agent_url, guess_dashboard, take_control_url


@dataclass(frozen=True, slots=True)
class TacticalPages:
    agent: str
    take_control: str


def find_pages(asset: Asset, integration: Integration) -> TacticalPages | None:
    """None where their address is not known."""
    dashboard = integration.dashboard_url or guess_dashboard(integration.base_url)
    if not dashboard:
        return None
    agent_id = asset.rmm_device_id
    return TacticalPages(agent_url(dashboard, agent_id), take_control_url(dashboard, agent_id))
