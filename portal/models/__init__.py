"""All tables. Importing this package makes every one known to the metadata."""

from portal.models.alert import Alert
from portal.models.asset import Asset
from portal.models.client import Client
from portal.models.connection_test import ConnectionTest
from portal.models.egress_network import EgressNetwork
from portal.models.ended_sign_in import EndedSignIn
from portal.models.errand import Errand
from portal.models.event import Event, EventSubscriber
from portal.models.external_entity_mapping import ExternalEntityMapping
from portal.models.integration import Integration
from portal.models.left_out_site import LeftOutSite
from portal.models.organization_mapping import OrganizationMapping
from portal.models.schedule import Schedule
from portal.models.secret import Secret
from portal.models.software import AssetSoftware, SoftwareTitle
from portal.models.sync_run import SyncLogEntry, SyncRun
from portal.models.tenant import Tenant
from portal.models.user import InstallSetting, Membership, PasswordReset, User, UserSession
from portal.models.webhook import AgentRefresh, Delivery, WebhookKey
from portal.models.webhook_installation import WebhookInstallation
from portal.models.webhook_usage import WebhookUsage

__all__ = [
    "AgentRefresh",
    "Alert",
    "Asset",
    "AssetSoftware",
    "Client",
    "ConnectionTest",
    "Delivery",
    "EgressNetwork",
    "EndedSignIn",
    "Errand",
    "Event",
    "EventSubscriber",
    "ExternalEntityMapping",
    "InstallSetting",
    "Integration",
    "LeftOutSite",
    "Membership",
    "OrganizationMapping",
    "PasswordReset",
    "Schedule",
    "Secret",
    "SoftwareTitle",
    "SyncLogEntry",
    "SyncRun",
    "Tenant",
    "User",
    "UserSession",
    "WebhookInstallation",
    "WebhookKey",
    "WebhookUsage",
]
