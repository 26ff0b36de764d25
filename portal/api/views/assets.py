"""Assets, what is installed on them, and what became of them."""

from __future__ import annotations

from typing import Any

from flask.typing import ResponseReturnValue

from portal.api import schemas
from portal.api.answers import answer_list, answer_one, page_url
from portal.api.document import Room
from portal.api.fields import ListArguments, one_of, search, wanted_id
from portal.errors import InvalidInput
from portal.services.api import assets as asset_service
from portal.services.api.assets import HistoryWanted, InstallsWanted
from portal.services.assets import listing
from portal.services.assets.listing import AssetFilter

assets = Room("assets", __name__, "Computers, with what they have and had.")

STATUSES = (
    *listing.STATUSES,
    *(listing.STALE, listing.MISSING, listing.PROPOSED, listing.RETIRED, listing.EVERY),
)


class AssetArguments(ListArguments):
    q = search("Words that must all be found in name, serial number, user, addresses, description.")
    status = one_of(
        STATUSES,
        "Without it, what Tactical lists. `missing`, `proposed` (for retirement) and `retired` are "
        "not listed by Tactical; `every` is all there is.",
    )
    type = one_of(("server", "workstation"), "The `asset_type`.")
    client_id = wanted_id("Those of a client.")
    organization = search("The `rmm_organization_id`.")
    site = search("The `site_name`.")
    nosite = one_of(("yes",), "Those without a site.")
    new = one_of(("30d",), "Those that came into the portal within the last 30 days.")
    os = search("The `os_type`.")
    tag = search("Those with this tag.")
    maintenance = one_of(("yes",), "Those whose agent is in Tactical's own maintenance mode.")
    reboot = one_of(("due",), "Those that need a restart.")
    elsewhere = one_of(
        ("yes",), "Those at another client than the one that their organization is mapped to."
    )
    system = search("How the `os_version` begins.")
    agent = search("The `agent_version`.")
    behind = search("Those whose `agent_version` is older than this one.")


class InstallArguments(ListArguments):
    asset_id = wanted_id("Those of an asset.")
    title_id = wanted_id("Those of a title.")
    product_id = wanted_id("Those of a product.")
    client_id = wanted_id("Those of a client's assets.")
    version = search("This version.")
    older_than = search("Versions that are older than this one. Needs `product_id` or `title_id`.")
    show = one_of(
        ("gone", "missing"),
        "`gone`: what was installed and is gone. `missing`: what is on assets that Tactical no "
        "longer lists.",
    )


class HistoryArguments(ListArguments):
    asset_id = wanted_id("That of an asset.")
    client_id = wanted_id("That of the assets that are a client's today.")
    run_id = wanted_id("What a run did.")
    after_id = wanted_id("Only changes with a higher `id`: what is new since you last asked.")


@assets.lists("/assets", schemas.Asset, AssetArguments)
def list_assets(arguments: dict[str, Any]) -> ResponseReturnValue:
    """List assets, those first that came into the portal first."""
    shown = AssetFilter(
        search=arguments.get("q", ""),
        status=arguments.get("status", ""),
        asset_type=arguments.get("type", ""),
        client_id=arguments.get("client_id"),
        organization=arguments.get("organization", ""),
        site_name=arguments.get("site", ""),
        has_no_site=arguments.get("nosite") == "yes",
        is_new=arguments.get("new") == "30d",
        os_type=arguments.get("os", ""),
        tag=arguments.get("tag", ""),
        in_maintenance=arguments.get("maintenance") == "yes",
        needs_reboot=arguments.get("reboot") == "due",
        is_elsewhere=arguments.get("elsewhere") == "yes",
        system=arguments.get("system", ""),
        agent_version=arguments.get("agent", ""),
        agent_behind=arguments.get("behind", ""),
    )
    add_url = page_url("assets.show", "asset_id")
    return answer_list(arguments, lambda part: asset_service.list_assets(shown, part), add_url)


@assets.shows("/assets/<int:asset_id>", schemas.Asset)
def show_asset(asset_id: int) -> ResponseReturnValue:
    """Show an asset."""
    return answer_one(asset_service.read_asset(asset_id), page_url("assets.show", "asset_id"))


@assets.lists("/installs", schemas.Install, InstallArguments)
def list_installs(arguments: dict[str, Any]) -> ResponseReturnValue:
    """List what is installed, asset by asset, on assets that Tactical lists."""
    wanted = InstallsWanted(
        asset_id=arguments.get("asset_id"),
        title_id=arguments.get("title_id"),
        product_id=arguments.get("product_id"),
        client_id=arguments.get("client_id"),
        version=arguments.get("version", ""),
        older_than=arguments.get("older_than", ""),
        removed=arguments.get("show") == "gone",
        missing=arguments.get("show") == "missing",
    )
    if wanted.older_than and wanted.product_id is None and wanted.title_id is None:
        raise InvalidInput(
            "older_than: Versions are compared within a product or a title. Add its product_id"
            " or its title_id.",
            field="older_than",
        )
    add_url = page_url("assets.software", "asset_id", "asset_id")
    return answer_list(arguments, lambda part: asset_service.list_installs(wanted, part), add_url)


@assets.lists("/history", schemas.Change, HistoryArguments)
def list_history(arguments: dict[str, Any]) -> ResponseReturnValue:
    """List what became of assets, the newest first.

    Each item is one column of one asset. Status and times of looks, which change all the time, are
    not in it.
    """
    wanted = HistoryWanted(
        asset_id=arguments.get("asset_id"),
        client_id=arguments.get("client_id"),
        run_id=arguments.get("run_id"),
        after_id=arguments.get("after_id", 0),
    )
    add_url = page_url("assets.history", "asset_id", "asset_id")
    return answer_list(arguments, lambda part: asset_service.list_history(wanted, part), add_url)
