"""The filter of the list of assets, as an address has it."""

from __future__ import annotations

from portal.services.assets.listing import AssetFilter
from portal.services.organizations.listing import find_organization_name
from portal.web.client_filter import find_shown_client, read_client_id
from portal.web.fragments import Query, words


def read_filter(query: Query | None = None) -> AssetFilter:
    """Of this page's address, or of a query that another address carries. Raises NotFound."""
    return AssetFilter(
        search=words("q", query),
        status=words("status", query),
        asset_type=words("type", query),
        client_id=read_client_id(query),
        organization=words("organization", query),
        site_name=words("site", query),
        has_no_site=words("nosite", query) == "yes",
        is_new=words("new", query) == "30d",
        os_type=words("os", query),
        tag=words("tag", query),
        in_maintenance=words("maintenance", query) == "yes",
        needs_reboot=words("reboot", query) == "due",
        is_elsewhere=words("elsewhere", query) == "yes",
        system=words("system", query),
        agent_version=words("agent", query),
        agent_behind=words("behind", query),
        sort=words("sort", query) or "name",
    )


def describe_filter(shown: AssetFilter) -> dict[str, object]:
    """As the bar of the list takes it. Raises NotFound."""
    return {
        "q": shown.search,
        "status": shown.status,
        "client": find_shown_client(shown.client_id),
        "organization": shown.organization,
        "organization_name": find_organization_name(shown.organization),
        "site": shown.site_name,
        "nosite": "yes" if shown.has_no_site else "",
        "new": "30d" if shown.is_new else "",
        "type": shown.asset_type,
        "os": shown.os_type,
        "tag": shown.tag,
        "maintenance": "yes" if shown.in_maintenance else "",
        "reboot": "due" if shown.needs_reboot else "",
        "elsewhere": "yes" if shown.is_elsewhere else "",
        "system": shown.system,
        "agent": shown.agent_version,
        "behind": shown.agent_behind,
    }
