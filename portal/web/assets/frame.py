"""What the pages of one asset have around their content."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import url_for

from portal.models import Asset, Integration
from portal.services.assets.freshness import get_stale_before
from portal.services.integrations.current import find_integration
from portal.services.integrations.dashboard import find_pages
from portal.web.assets.stepping import read_trail

TABS = {
    "show": ("Overview", "assets.show"),
    "alerts": ("Alerts", "assets.alerts"),
    "software": ("Software", "assets.software"),
    "history": ("History", "assets.history"),
}
"""Its words and its endpoint."""


def frame(
    asset: Asset,
    tab: str,
    stale_before: datetime | None = None,
    integration: Integration | None = None,
) -> dict[str, Any]:
    """For `assets/_page.html`; `tab` is one of TABS. What is not given is read."""
    trail, integration = read_trail(), integration or find_integration()
    is_current = integration is not None and integration.id == asset.integration_id
    has_pages = is_current and asset.missing_since is None
    around = trail.find_neighbours(asset, stale_before or get_stale_before()) if trail else None
    return {
        "asset": asset,
        "tab": tab,
        "tabs": TABS,
        "trail": trail,
        "neighbours": around,
        "url_of_tab": url_of_tab,
        "has_pages": has_pages,
        "tactical_pages": find_pages(asset, integration) if integration and has_pages else None,
    }


def url_of_tab(tab: str, asset_id: int) -> str:
    """The same list is come from."""
    trail = read_trail()
    return url_for(TABS[tab][1], asset_id=asset_id, list=trail.query if trail else None)
