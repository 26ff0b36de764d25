"""The figures that the dashboard and the status panel show."""

from __future__ import annotations

from dataclasses import dataclass

from portal.models import Integration, SyncRun
from portal.models.sync_run import SyncKind
from portal.services.assets import count_by_status
from portal.services.integrations import find_integration
from portal.services.organizations import OrganizationFilter, count_organizations
from portal.services.sync_runs import find_last_run


@dataclass(frozen=True, slots=True)
class Overview:
    integration: Integration | None
    organizations: dict[OrganizationFilter, int]
    assets_by_status: dict[str, int]
    last_device_run: SyncRun | None
    last_organization_run: SyncRun | None

    @property
    def assets(self) -> int:
        return sum(self.assets_by_status.values())


def get_overview() -> Overview:
    return Overview(
        integration=find_integration(),
        organizations=count_organizations(),
        assets_by_status=count_by_status(),
        last_device_run=find_last_run(SyncKind.DEVICES),
        last_organization_run=find_last_run(SyncKind.ORGANIZATIONS),
    )
