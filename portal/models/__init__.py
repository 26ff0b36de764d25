"""All tables, by noun. Importing this package makes every one known to the metadata."""

from portal.models import client_limits
from portal.models.accounts.api_token import ApiToken, ApiTokenClient
from portal.models.accounts.invitation import Invitation, InvitationClient
from portal.models.accounts.passkey import Passkey, PasskeyChallenge
from portal.models.accounts.second_factor import Authenticator, PendingSignIn, RecoveryCode
from portal.models.accounts.tenant import Tenant
from portal.models.accounts.user import (
    InstallSetting,
    Membership,
    MembershipClient,
    PasswordReset,
    User,
    UserSession,
)
from portal.models.alerts.alert import Alert
from portal.models.alerts.handling import AlertHandling
from portal.models.alerts.timeline import TimelineEntry
from portal.models.assets.agent_sighting import AgentSighting
from portal.models.assets.asset import Asset
from portal.models.assets.change import AssetChange
from portal.models.assets.conflict import AssetConflict
from portal.models.assets.daily_count import DailyCount
from portal.models.assets.external_entity_mapping import ExternalEntityMapping
from portal.models.assets.removed_asset import RemovedAsset
from portal.models.assets.superseded_agent import SupersededAgent
from portal.models.assets.tag import AssetTag
from portal.models.audit.entry import AuditEntry, InstallAuditEntry
from portal.models.channels.channel import Channel
from portal.models.channels.message import Message
from portal.models.deliveries.delivery import AgentRefresh, Delivery, WebhookKey
from portal.models.deliveries.usage import WebhookUsage
from portal.models.errands.errand import Errand
from portal.models.events.event import Event, EventSubscriber
from portal.models.integrations.connection_test import ConnectionTest
from portal.models.integrations.egress_network import EgressNetwork
from portal.models.integrations.ended_sign_in import EndedSignIn
from portal.models.integrations.integration import Integration
from portal.models.integrations.schedule import Schedule
from portal.models.integrations.secret import Secret
from portal.models.notices.notice import Notice, NoticeChoice
from portal.models.oidc.identity import OidcFlow, OidcIdentity
from portal.models.oidc.provider import OidcProvider
from portal.models.organizations.client import Client
from portal.models.organizations.left_out_site import LeftOutSite
from portal.models.organizations.organization_mapping import OrganizationMapping
from portal.models.rules.rule import AlertRule
from portal.models.runs.revert_page import RevertPage
from portal.models.runs.sync_plan import SyncPlan, SyncPlanRow
from portal.models.runs.sync_run import SyncLogEntry, SyncRun
from portal.models.saved_views.saved_view import SavedView
from portal.models.software.inventory import AssetSoftware, SoftwareProduct, SoftwareTitle
from portal.models.software.watch import SoftwareMatch, SoftwareWatch
from portal.models.tickets.helpdesk import Helpdesk, HelpdeskCustomer
from portal.models.tickets.ticket import Ticket, TicketAlert, TicketTask
from portal.models.undo.offer import UndoOffer
from portal.models.webhook.installation import WebhookInstallation
from portal.models.windows.window import CalendarFeed, MaintenanceWindow

client_limits.fill_table()

__all__ = [
    "AgentRefresh",
    "AgentSighting",
    "Alert",
    "AlertHandling",
    "AlertRule",
    "ApiToken",
    "ApiTokenClient",
    "Asset",
    "AssetChange",
    "AssetConflict",
    "AssetSoftware",
    "AssetTag",
    "AuditEntry",
    "Authenticator",
    "CalendarFeed",
    "Channel",
    "Client",
    "ConnectionTest",
    "DailyCount",
    "Delivery",
    "EgressNetwork",
    "EndedSignIn",
    "Errand",
    "Event",
    "EventSubscriber",
    "ExternalEntityMapping",
    "Helpdesk",
    "HelpdeskCustomer",
    "InstallAuditEntry",
    "InstallSetting",
    "Integration",
    "Invitation",
    "InvitationClient",
    "LeftOutSite",
    "MaintenanceWindow",
    "Membership",
    "MembershipClient",
    "Message",
    "Notice",
    "NoticeChoice",
    "OidcFlow",
    "OidcIdentity",
    "OidcProvider",
    "OrganizationMapping",
    "Passkey",
    "PasskeyChallenge",
    "PasswordReset",
    "PendingSignIn",
    "RecoveryCode",
    "RemovedAsset",
    "RevertPage",
    "SavedView",
    "Schedule",
    "Secret",
    "SoftwareMatch",
    "SoftwareProduct",
    "SoftwareTitle",
    "SoftwareWatch",
    "SupersededAgent",
    "SyncLogEntry",
    "SyncPlan",
    "SyncPlanRow",
    "SyncRun",
    "Tenant",
    "Ticket",
    "TicketAlert",
    "TicketTask",
    "TimelineEntry",
    "UndoOffer",
    "User",
    "UserSession",
    "WebhookInstallation",
    "WebhookKey",
    "WebhookUsage",
]
