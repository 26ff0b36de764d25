"""Resolving and snoozing alerts: done in Tactical, whose record then says what came of it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from sqlalchemy import Select, select

from portal.clock import utc_now
from portal.db import db, release, transaction
from portal.egress import EgressError
from portal.errors import InvalidInput, NotFound, PortalError
from portal.models import Alert, Errand
from portal.models.alerts.alert import AlertSource, AlertStatus
from portal.models.errands.errand import ErrandKind
from portal.models.undo.offer import UndoKind
from portal.services.alerts.choosing import MOST_BY_WORKER
from portal.services.alerts.listing import get_alert
from portal.services.alerts.occurrences import MOST_AT_ONCE, check_ids
from portal.services.alerts.results import ActionResult, AlertAction, Failure
from portal.services.audit.actor import current_actor
from portal.services.errands.requests import request_errand
from portal.services.integrations.current import get_active_integration, open_tactical
from portal.services.undo.offers import offer_undo
from portal.sync.alerts.hints import close_alert
from portal.sync.alerts.write import write_alerts
from portal.tactical.alerts import TacticalAlert, TacticalAlerts
from portal.tactical.errors import MissingPermission, NotFoundInTactical
from portal.tactical.record_errors import may_be_of_record
from portal.wording import plural

MOST_DAYS = 365
LOOKUP_SECONDS = 120.0
"""For all alerts of one action: a server that drips must not hold a worker for long."""
TOO_SLOW = "Tactical answers too slowly to check every alert. Try again when it is less busy."
NOT_SNOOZED = "The alert is not snoozed."


@dataclass(frozen=True, slots=True)
class _Target:
    """An alert as plain values: no row is held while Tactical is asked."""

    alert_id: int
    pk: int
    name: str


def request_action(
    action: AlertAction, alert_ids: Sequence[int], days: int | None = None
) -> Errand:
    """Have a worker do it. Raises InvalidInput, Refused without an active connection, NotFound
    for a single alert that is not there, and TooManyWaiting."""
    ids = _list_known(_check(action, alert_ids, days, MOST_BY_WORKER))
    get_active_integration()
    one = len(ids) == 1
    what = f"the alert of {_name(get_alert(ids[0]))}" if one else plural(len(ids), "alert")
    wanted = {
        "deed": action,
        "alert_ids": ids,
        "days": days if action is AlertAction.SNOOZE else None,
        "by": asdict(current_actor()),
        "undo": _offer(action, ids, days),
    }
    return request_errand(ErrandKind.ACT_ON_ALERTS, f"{action.capitalize()} {what}", wanted)


def _offer(action: AlertAction, ids: Sequence[int], days: int | None) -> int | None:
    """To take it back once it is done; None for what cannot be."""
    its = select(Alert.id, Alert.snoozed_until).where(Alert.id.in_(ids))
    if action is AlertAction.SNOOZE:
        active = db.session.scalars(its.where(Alert.status == AlertStatus.ACTIVE)).all()
        change = {"alert_ids": list(active), "days": days, "at": utc_now().isoformat()}
        return offer_undo(UndoKind.SNOOZED_DAYS, change) if active else None
    if action is AlertAction.UNSNOOZE:
        asleep = db.session.execute(its.where(Alert.snoozed_until > utc_now())).all()
        was = [(alert_id, end.isoformat()) for alert_id, end in asleep if end]
        return offer_undo(UndoKind.UNSNOOZED_DAYS, {"was": was}) if was else None
    return None


def _list_known(ids: Sequence[int]) -> list[int]:
    """Those that are there for whoever asks: the worker sees all of the tenant. Raises NotFound."""
    there = set(db.session.scalars(select(Alert.id).where(Alert.id.in_(ids))))
    if not there:
        raise NotFound("This alert does not exist.")
    return [alert_id for alert_id in ids if alert_id in there]


def act(
    action: AlertAction,
    alert_ids: Sequence[int],
    days: int | None = None,
    is_repeated: bool = False,
) -> ActionResult:
    """Do it in Tactical, fetch each alert again, and keep what Tactical says: of a few.

    `is_repeated` when a process died over it: what is done already is not done again, as that
    would move the time of the real resolving. Raises as `request_action` does.
    """
    ids = _check(action, alert_ids, days, MOST_AT_ONCE)
    integration = get_active_integration()
    targets, left = _choose(action, ids, integration.id)
    if is_repeated:
        left = _count_as_done(left)
    if not targets:
        return left
    integration_id = integration.id
    with open_tactical(integration, interactive=True) as tactical:
        release()
        alerts = tactical.alerts
        before = _fetch_all(alerts, targets) if is_repeated else {}
        pks = [t.pk for t in targets if _must_send(action, before.get(t.pk))]
        problems = _send(alerts, action, pks, days) if pks else {}
        refusals = [e.message for e in problems.values() if isinstance(e, MissingPermission)]
        if refusals and len(refusals) == len(pks):
            refused = [Failure(t.alert_id, t.name, refusals[0]) for t in targets]
            return left.add(ActionResult(action, [], refused, trouble=refusals[0]))
        records = _fetch_all(alerts, targets)
    _write(integration_id, targets, records)
    return left.add(_sum_up(action, targets, records, problems))


def _check(action: AlertAction, alert_ids: Sequence[int], days: int | None, most: int) -> list[int]:
    """The ids, each once. Raises InvalidInput."""
    if action is AlertAction.SNOOZE and not (days and 0 < days <= MOST_DAYS):
        raise InvalidInput(f"Enter a number of days from 1 to {MOST_DAYS}.", field="snooze_for")
    return check_ids(alert_ids, most)


def _choose(
    action: AlertAction, ids: Sequence[int], integration_id: int
) -> tuple[list[_Target], ActionResult]:
    """Those that Tactical can be asked to act on, and what is to be told of the others."""
    found = {alert.id: alert for alert in db.session.scalars(_query(ids))}
    if not found and len(ids) == 1:
        raise NotFound("This alert does not exist.")
    targets, left = [], ActionResult(action, [], [])
    for alert_id in ids:
        alert = found.get(alert_id)
        if alert is None or alert.status is AlertStatus.RESOLVED:
            # Telling Tactical again would move the time of the real resolving.
            left.over.append(alert_id)
            continue
        reason = _obstacle(action, alert, integration_id)
        if reason is not None:
            left.failures.append(Failure(alert_id, _name(alert), reason))
        else:
            targets.append(_Target(alert_id, int(alert.external_alert_id or 0), _name(alert)))
    return targets, left


def _sum_up(
    action: AlertAction,
    targets: Sequence[_Target],
    records: Mapping[int, TacticalAlert | PortalError],
    problems: Mapping[int, PortalError],
) -> ActionResult:
    result = ActionResult(action, [], [])
    for target in targets:
        record = records[target.pk]
        reason = _shortcoming(action, record, problems.get(target.pk))
        if reason is None:
            result.done.append(target.alert_id)
        elif _is_over(record):
            result.over.append(target.alert_id)
        else:
            result.failures.append(Failure(target.alert_id, target.name, reason))
    found = [*problems.values(), *records.values()]
    return replace(result, trouble=_find_trouble(found) if result.failures else None)


def _count_as_done(left: ActionResult) -> ActionResult:
    """What is as it is wanted was made so by the process that died."""
    if left.action is AlertAction.RESOLVE:
        return replace(left, done=left.over, over=[])
    awake = [each.alert_id for each in left.failures if each.reason == NOT_SNOOZED]
    others = [each for each in left.failures if each.alert_id not in awake]
    return replace(left, done=awake, failures=others)


def _obstacle(action: AlertAction, alert: Alert, integration_id: int) -> str | None:
    if alert.integration_id != integration_id:
        return "The alert came from a Tactical server that this portal is no longer connected to."
    if alert.external_alert_id is None:
        return (
            "The webhook for this alert had no alert id, so the portal cannot tell Tactical which "
            "alert to change. Change it in Tactical."
        )
    if action is AlertAction.UNSNOOZE and alert.status is not AlertStatus.SNOOZED:
        return NOT_SNOOZED
    return None


def _send(
    alerts: TacticalAlerts, action: AlertAction, pks: Sequence[int], days: int | None
) -> dict[int, PortalError]:
    """The request itself, and where it broke: it may still have been done, as the records show."""
    try:
        if action is AlertAction.RESOLVE:
            alerts.resolve(pks)
        elif action is AlertAction.SNOOZE:
            alerts.snooze(pks, days or 1)
        else:
            return _unsnooze_each(alerts, pks)
    except PortalError as error:
        return dict.fromkeys(pks, error)
    return {}


def _unsnooze_each(alerts: TacticalAlerts, pks: Sequence[int]) -> dict[int, PortalError]:
    """Tactical's bulk call knows no unsnoozing. One that it refuses costs that one."""
    problems: dict[int, PortalError] = {}
    until = time.monotonic() + LOOKUP_SECONDS
    for at, pk in enumerate(pks):
        try:
            if time.monotonic() > until:
                raise PortalError(TOO_SLOW)
            alerts.unsnooze(pk)
        except PortalError as error:
            if not may_be_of_record(error):
                return problems | dict.fromkeys(pks[at:], error)
            problems[pk] = error
    return problems


def _find_trouble(answers: Iterable[TacticalAlert | PortalError]) -> str | None:
    """What is the matter with the server, so that further alerts would meet it too."""
    errors = (each for each in answers if isinstance(each, PortalError))
    return next((each.message for each in errors if not may_be_of_record(each)), None)


def _fetch_all(
    alerts: TacticalAlerts, targets: Sequence[_Target]
) -> dict[int, TacticalAlert | PortalError]:
    """Each alert as Tactical has it now, or why that is not known."""
    records: dict[int, TacticalAlert | PortalError] = {}
    lost: PortalError | None = None
    until = time.monotonic() + LOOKUP_SECONDS
    for target in targets:
        if lost is None and time.monotonic() > until:
            lost = PortalError(TOO_SLOW)
        if lost is not None:  # one that waits in vain is enough
            records[target.pk] = lost
            continue
        try:
            records[target.pk] = alerts.get(target.pk)
        except EgressError as error:
            records[target.pk] = lost = error
        except PortalError as error:
            records[target.pk] = error
    return records


def _write(
    integration_id: int,
    targets: Sequence[_Target],
    records: dict[int, TacticalAlert | PortalError],
) -> None:
    found = [record for record in records.values() if isinstance(record, TacticalAlert)]
    gone = [target.alert_id for target in targets if _is_gone(records[target.pk])]
    with transaction() as session:
        write_alerts(session, integration_id, found, AlertSource.BACKFILL)
        for alert in session.scalars(_query(gone)):
            if alert.status is not AlertStatus.RESOLVED:
                close_alert(session, alert, utc_now())


def _shortcoming(
    action: AlertAction, record: TacticalAlert | PortalError, problem: PortalError | None
) -> str | None:
    """Why it is not as it was wanted; None when it is."""
    if isinstance(record, PortalError):
        if _is_gone(record):
            return "Tactical no longer has this alert."
        if problem is not None:
            return problem.message
        return f"Tactical accepted the request, but its result is not known. {record.message}"
    wanted = {
        AlertAction.RESOLVE: record.resolved,
        AlertAction.SNOOZE: record.snoozed,
        AlertAction.UNSNOOZE: not record.snoozed,
    }
    if wanted[action]:
        return None
    if problem is not None:
        return problem.message
    return "Tactical accepted the request, but did not change the alert."


def _must_send(action: AlertAction, record: TacticalAlert | PortalError | None) -> bool:
    """Unless Tactical's record is known to be as it is wanted."""
    return record is None or _shortcoming(action, record, None) is not None


def _is_gone(record: TacticalAlert | PortalError) -> bool:
    return isinstance(record, NotFoundInTactical) and not record.is_html


def _is_over(record: TacticalAlert | PortalError) -> bool:
    """Without our doing: it resolved itself, or Tactical has it no more."""
    return _is_gone(record) if isinstance(record, PortalError) else record.resolved


def _query(ids: Sequence[int]) -> Select[Alert]:
    return select(Alert).where(Alert.id.in_(ids)).execution_options(populate_existing=True)


def _name(alert: Alert) -> str:
    return alert.hostname or alert.agent_id or f"Alert {alert.external_alert_id or alert.id}"
