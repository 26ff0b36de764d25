"""Which rows belong to a client: what somebody sees who is limited to some of them.

Every table of a tenant stands here, and so do users. What belongs to no client, such as deliveries,
settings and people, is seen by nobody who is limited.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, cast

from sqlalchemy import ColumnElement, FromClause, Select, Table, and_, exists, func, or_, select

from portal.client_guard import LIMITS, ClientLimit, allowed_ids, everything, nothing
from portal.db import Base
from portal.models.accounts.api_token import ApiToken, ApiTokenClient
from portal.models.accounts.invitation import Invitation, InvitationClient
from portal.models.accounts.user import Membership, MembershipClient, User
from portal.models.alerts.alert import Alert
from portal.models.alerts.handling import AlertHandling
from portal.models.alerts.timeline import TimelineEntry
from portal.models.assets.agent_sighting import AgentSighting
from portal.models.assets.asset import Asset
from portal.models.assets.change import AssetChange, ChangeAction
from portal.models.assets.conflict import REVERTED, AssetConflict
from portal.models.assets.daily_count import DailyCount
from portal.models.assets.external_entity_mapping import ExternalEntityMapping
from portal.models.assets.removed_asset import RemovedAsset
from portal.models.assets.superseded_agent import SupersededAgent
from portal.models.assets.tag import AssetTag
from portal.models.audit.entry import AuditEntry
from portal.models.channels.channel import Channel
from portal.models.channels.message import Message
from portal.models.deliveries.delivery import AgentRefresh, Delivery, WebhookKey
from portal.models.deliveries.usage import WebhookUsage
from portal.models.errands.errand import Errand
from portal.models.events.event import Event, EventSubscriber, EventType
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
from portal.models.runs.sync_plan import PlanAction, SyncPlan, SyncPlanRow
from portal.models.runs.sync_run import COUNT_NAMES, SyncKind, SyncLogEntry, SyncRun
from portal.models.saved_views.saved_view import SavedView
from portal.models.software.inventory import AssetSoftware, SoftwareProduct, SoftwareTitle
from portal.models.software.watch import SoftwareMatch, SoftwareWatch
from portal.models.tickets.helpdesk import Helpdesk, HelpdeskCustomer
from portal.models.tickets.ticket import Ticket, TicketAlert, TicketTask
from portal.models.undo.offer import UndoOffer
from portal.models.webhook.installation import WebhookInstallation
from portal.models.windows.window import CalendarFeed, MaintenanceWindow
from portal.scope import own_address

FLEET_READS = (SyncKind.DEVICES, SyncKind.STATUS, SyncKind.ALERTS, SyncKind.SOFTWARE)
"""Runs that say how fresh everybody's records are."""
OF_ONE_RECORD = ("created", "updated", "missing", "returned", "retired", "restored", "failed")
"""Actions in the log of a run that name no other record. A move names another client."""
OF_ONE_AGENT = (PlanAction.UPDATE, PlanAction.MISSING, PlanAction.RETURNED, PlanAction.FAILED)
OF_ONE_ASSET = tuple(
    kind for kind in EventType if kind.startswith(("rmm.device.", "rmm.alert.", "software."))
)
TELLS_OF_CLIENTS = ("client_id", "rmm_organization_id")
_LETTER = r"[^\s@<>()“”,;:]"
_ADDRESS = re.compile(rf"(?<!{_LETTER}){_LETTER}++@{_LETTER}+\.\w+")
"""From the beginning of a word, of which a note may be one that never ends."""
EVIDENCE = "evidence"
"""Among the changes of a log entry: the computers that an agent was compared with."""


def _other(model: type[Base]) -> FromClause:
    """Its table once more, and bare: in a statement on that table it is another one, and the guard
    adds nothing to it."""
    return cast(Table, model.__table__).alias()


_ASSETS, _INSTALLS, _LOG = _other(Asset).c, _other(AssetSoftware).c, _other(SyncLogEntry).c
_ALERTS, _HANDLINGS = _other(Alert).c, _other(AlertHandling).c
_TICKETS = _other(Ticket).c
_TITLES = _other(SoftwareTitle).c
_PLANS, _ROWS = _other(SyncPlan).c, _other(SyncPlanRow).c


def _assets(column: str) -> Select[Any]:
    return select(_ASSETS[column]).where(_ASSETS.client_id.in_(allowed_ids()))


def _of_asset(name: str = "asset_id") -> Callable[[Any], ColumnElement[bool]]:
    return lambda cls: getattr(cls, name).in_(_assets("id"))


def _of_alert(cls: type[AlertHandling] | type[TimelineEntry]) -> ColumnElement[bool]:
    return cls.alert_id.in_(_list_alerts())


def _messages(cls: type[Message]) -> ColumnElement[bool]:
    """Those about an alert of theirs; notices are about the whole portal."""
    theirs = select(_HANDLINGS.id).where(_HANDLINGS.alert_id.in_(_list_alerts()))
    return cls.handling_id.in_(theirs)


def _list_alerts() -> Select[Any]:
    return select(_ALERTS.id).where(_ALERTS.asset_id.in_(_assets("id")))


def _tickets(cls: Any) -> ColumnElement[bool]:
    """Of their clients, and of no asset that has gone to another one since."""
    is_theirs = or_(cls.asset_id.is_(None), cls.asset_id.in_(_assets("id")))
    return and_(cls.client_id.in_(allowed_ids()), is_theirs)


def _of_ticket(cls: type[TicketTask] | type[TicketAlert]) -> ColumnElement[bool]:
    return cls.ticket_id.in_(select(_TICKETS.id).where(_tickets(_TICKETS)))


def _ticket_alerts(cls: type[TicketAlert]) -> ColumnElement[bool]:
    """Both sides are theirs."""
    return and_(cls.alert_id.in_(_list_alerts()), _of_ticket(cls))


def _changes(cls: type[AssetChange]) -> ColumnElement[bool]:
    """But for what it was, and where, while it was another client's."""
    is_move = or_(cls.action == ChangeAction.MOVED, cls.column.in_(TELLS_OF_CLIENTS))
    return and_(cls.asset_id.in_(_assets("id")), ~is_move)


def _conflicts(cls: type[AssetConflict]) -> ColumnElement[bool]:
    """Between two assets of theirs, and no third one."""
    in_question = func.coalesce(func.json_array_length(cls.evidence["assets"]), 0)
    return and_(
        cls.kind != REVERTED,
        cls.asset_id.in_(_assets("id")),
        cls.other_asset_id.in_(_assets("id")),
        in_question <= 1,
    )


def _events(cls: type[Event]) -> ColumnElement[bool]:
    client_id = cls.payload["client_id"].as_integer()
    return and_(
        cls.type.in_(OF_ONE_ASSET),
        cls.agent_id.in_(_assets("rmm_device_id")),
        or_(client_id.is_(None), client_id.in_(allowed_ids())),
    )


def _titles(cls: type[SoftwareTitle]) -> ColumnElement[bool]:
    return cls.id.in_(_list_titles())


def _list_titles() -> Select[Any]:
    """Found from their assets, once: from each title it would be through all its installs. Each
    is named once, so that PostgreSQL does not look for it among them again for every row."""
    theirs = _INSTALLS.asset_id.in_(_assets("id"))
    return select(_INSTALLS.title_id).where(theirs).distinct()


def _products(cls: type[SoftwareProduct]) -> ColumnElement[bool]:
    return cls.id.in_(_list_products())


def _list_products() -> Select[Any]:
    return select(_TITLES.product_id).where(_TITLES.id.in_(_list_titles())).distinct()


def _watches(cls: type[SoftwareWatch]) -> ColumnElement[bool]:
    """For software that they have, and for no other client."""
    is_theirs = or_(cls.client_id.is_(None), cls.client_id.in_(allowed_ids()))
    return and_(is_theirs, cls.product_id.in_(_list_products()))


def _log_entries(cls: type[SyncLogEntry]) -> ColumnElement[bool]:
    return and_(cls.action.in_(OF_ONE_RECORD), cls.external_id.in_(_assets("rmm_device_id")))


def _plan_rows(cls: type[SyncPlanRow]) -> ColumnElement[bool]:
    return and_(cls.action.in_(OF_ONE_AGENT), cls.agent_id.in_(_assets("rmm_device_id")))


def _plans(cls: type[SyncPlan]) -> ColumnElement[bool]:
    return exists().where(_ROWS.plan_id == cls.id, *_is_row_of_theirs())


def _runs(cls: type[SyncRun]) -> ColumnElement[bool]:
    """That read the whole fleet, or did something to an asset of theirs."""
    entries = exists().where(
        _LOG.run_id == cls.id,
        _LOG.action.in_(OF_ONE_RECORD),
        _LOG.external_id.in_(_assets("rmm_device_id")),
    )
    plans = exists().where(
        _PLANS.run_id == cls.id, _ROWS.plan_id == _PLANS.id, *_is_row_of_theirs()
    )
    is_agents = and_(cls.kind == SyncKind.AGENT, cls.subject.in_(_assets("rmm_device_id")))
    others = (*FLEET_READS, SyncKind.AGENT, SyncKind.PREVIEW)
    return or_(
        cls.kind.in_(FLEET_READS),
        is_agents,
        and_(cls.kind == SyncKind.PREVIEW, plans),
        and_(cls.kind.not_in(others), entries),
    )


def _strip_changes(known: dict[str, Any]) -> dict[str, Any] | None:
    """Of a log entry or the row of a plan, without other clients and other assets."""
    changes = known.get("changes")
    left_out = (*TELLS_OF_CLIENTS, EVIDENCE)
    return changes and {name: value for name, value in changes.items() if name not in left_out}


def _strip_reason(known: dict[str, Any]) -> str | None:
    return None if EVIDENCE in (known.get("changes") or ()) else known["reason"]


def _name_colleague(column: str) -> Callable[[dict[str, Any]], str | None]:
    """Other people's e-mail addresses are not for whoever is limited."""

    def name(known: dict[str, Any]) -> str | None:
        text: str | None = known[column]
        return text and _ADDRESS.sub(_keep_own, text)

    return name


def _without_colleagues(*columns: str) -> dict[str, Any]:
    return {column: _name_colleague(column) for column in columns}


def _name_colleagues(known: dict[str, Any]) -> dict[str, Any]:
    """Of the payload of an event: who did what, and to whom it was given."""
    return {
        name: _ADDRESS.sub(_keep_own, value) if _is_person(name, value) else value
        for name, value in known["payload"].items()
    }


def _is_person(name: str, value: Any) -> bool:
    return isinstance(value, str) and (name.endswith("_by") or name == "assigned_to")


def _keep_own(found: re.Match[str]) -> str:
    return found[0] if found[0] == own_address() else "a colleague"


def _is_row_of_theirs() -> tuple[ColumnElement[bool], ...]:
    return (
        _ROWS.action.in_(OF_ONE_AGENT),
        _ROWS.agent_id.in_(_assets("rmm_device_id")),
    )


LIMITED: Mapping[type[Base], ClientLimit] = {
    Client: ClientLimit(lambda cls: cls.id.in_(allowed_ids())),
    OrganizationMapping: ClientLimit(lambda cls: cls.client_id.in_(allowed_ids())),
    Asset: ClientLimit(
        lambda cls: cls.client_id.in_(allowed_ids()),
        changes=True,
        hidden=_without_colleagues("note_by"),
    ),
    ExternalEntityMapping: ClientLimit(_of_asset()),
    SupersededAgent: ClientLimit(_of_asset()),
    RemovedAsset: ClientLimit(_of_asset("into_asset_id")),
    AssetChange: ClientLimit(_changes, adds=True),
    AssetConflict: ClientLimit(_conflicts),
    DailyCount: ClientLimit(lambda cls: cls.client_id.in_(allowed_ids())),
    Alert: ClientLimit(_of_asset(), hidden=_without_colleagues("snoozed_by")),
    AlertHandling: ClientLimit(
        _of_alert,
        changes=True,
        adds=True,
        hidden=_without_colleagues("acknowledged_by"),
        found={Alert: everything},
    ),
    TimelineEntry: ClientLimit(_of_alert, adds=True, hidden=_without_colleagues("text")),
    Message: ClientLimit(
        _messages,
        adds=True,
        hidden=_without_colleagues("recipient", "answer"),
    ),
    Ticket: ClientLimit(
        _tickets,
        changes=True,
        adds=True,
        hidden=_without_colleagues("touched_by"),
    ),
    TicketAlert: ClientLimit(
        _ticket_alerts,
        changes=True,
        adds=True,
        hidden=_without_colleagues("linked_by"),
        found={Alert: _of_ticket},
    ),
    TicketTask: ClientLimit(_of_ticket, changes=True, adds=True),
    HelpdeskCustomer: ClientLimit(lambda cls: cls.client_id.in_(allowed_ids())),
    Helpdesk: ClientLimit(everything, hidden={"settings": {}, "probe": [], "last_error": None}),
    AssetTag: ClientLimit(_of_asset(), changes=True, adds=True),
    AssetSoftware: ClientLimit(_of_asset()),
    SoftwareProduct: ClientLimit(
        _products,
        hidden={
            **dict.fromkeys(("asset_count", "install_count", "version_count", "older_count"), 0),
            "newest_version": "",
        },
        found={AssetSoftware: everything},
    ),
    SoftwareTitle: ClientLimit(
        _titles,
        hidden={"asset_count": 0, "version_count": 0},
        found={AssetSoftware: everything},
    ),
    SoftwareWatch: ClientLimit(_watches, hidden=_without_colleagues("created_by")),
    SoftwareMatch: ClientLimit(_of_asset()),
    Event: ClientLimit(_events, adds=True, hidden={"payload": _name_colleagues}),
    SyncRun: ClientLimit(
        _runs,
        changes=True,
        adds=True,
        hidden={
            **{"title": None, "error": None, "total": None, "requested_by": None},
            **dict.fromkeys(("done", "paced_done", *COUNT_NAMES), 0),
        },
    ),
    SyncLogEntry: ClientLimit(
        _log_entries,
        adds=True,
        hidden={"changes": _strip_changes, "reason": _strip_reason},
    ),
    SyncPlan: ClientLimit(_plans, hidden={"reason": None}),
    SyncPlanRow: ClientLimit(_plan_rows, hidden={"changes": _strip_changes}),
    Integration: ClientLimit(
        everything,
        hidden={
            **{"last_error": None, "found_agents": None, "found_organizations": None},
            **{"found_alerts": None},
            **{"base_url": "", "dashboard_url": "", "username": ""},
        },
    ),
    Schedule: ClientLimit(everything),
    AuditEntry: ClientLimit(nothing, adds=True),
    Errand: ClientLimit(nothing, adds=True),
    AgentRefresh: ClientLimit(nothing),
    AlertRule: ClientLimit(nothing),
    CalendarFeed: ClientLimit(nothing),
    Channel: ClientLimit(nothing),
    MaintenanceWindow: ClientLimit(nothing),
    Notice: ClientLimit(nothing),
    NoticeChoice: ClientLimit(nothing),
    AgentSighting: ClientLimit(nothing),
    ApiToken: ClientLimit(nothing),
    ApiTokenClient: ClientLimit(nothing),
    ConnectionTest: ClientLimit(nothing),
    Delivery: ClientLimit(nothing),
    EgressNetwork: ClientLimit(nothing),
    EndedSignIn: ClientLimit(nothing),
    EventSubscriber: ClientLimit(nothing),
    Invitation: ClientLimit(nothing),
    InvitationClient: ClientLimit(nothing),
    LeftOutSite: ClientLimit(nothing),
    Membership: ClientLimit(nothing),
    MembershipClient: ClientLimit(nothing),
    OidcFlow: ClientLimit(nothing),
    OidcIdentity: ClientLimit(nothing),
    OidcProvider: ClientLimit(nothing),
    RevertPage: ClientLimit(nothing),
    SavedView: ClientLimit(nothing),
    Secret: ClientLimit(nothing),
    UndoOffer: ClientLimit(nothing),
    User: ClientLimit(nothing),
    WebhookInstallation: ClientLimit(nothing),
    WebhookKey: ClientLimit(nothing),
    WebhookUsage: ClientLimit(nothing),
}


def fill_table() -> None:
    """For the guard, once the models are there."""
    LIMITS.fill(LIMITED)
