"""Alerts that began before a rule was switched on: it acts on them only if somebody wants it."""

from __future__ import annotations

from sqlalchemy import or_, select

from portal.clock import utc_now
from portal.db import db
from portal.models import Alert, AlertHandling
from portal.models.alerts.alert import IS_PRESENT, AlertStatus
from portal.models.alerts.handling import HandlingState
from portal.services.rules.listing import RuleView
from portal.services.rules.subjects import load_open
from portal.services.rules.terms import Subject
from portal.services.rules.trial import Judge
from portal.sync.alerts.news import SUPERSEDED

MOST_LOOKED_AT = 20_000


def list_older(view: RuleView) -> list[Subject]:
    """Those that are not over, of which nobody was told, and which the rule matches, or will once
    they have lasted long enough; the newest first. None while the rule is switched off."""
    since = view.rule.switched_on_at
    if since is None or view.problem:
        return []
    subjects = load_open(db.session(), MOST_LOOKED_AT)
    judge, settled, now = Judge(view.conditions, subjects), _list_settled(), utc_now()
    older = [each for each in subjects if each.began_at < since and each.alert_id not in settled]
    judged = ((subject, judge.judge(subject, now)) for subject in older)
    return [subject for subject, match in judged if match.matched or match.waits_until]


def _list_settled() -> set[int]:
    """Alerts of which somebody was told, or is not to be."""
    decided = (HandlingState.HELD, HandlingState.ACTED, HandlingState.IGNORED)
    settled = or_(AlertHandling.state.in_(decided), AlertHandling.reason == SUPERSEDED)
    query = select(Alert.id).join(AlertHandling, IS_PRESENT)
    return set(db.session.scalars(query.where(Alert.status != AlertStatus.RESOLVED, settled)))
