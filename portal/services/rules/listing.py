"""A tenant's rules, found and listed."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select

from portal.db import db
from portal.errors import InvalidInput, NotFound
from portal.models import Alert, AlertHandling, AlertRule
from portal.models.alerts.alert import IS_PRESENT
from portal.services.rules.terms import Conditions, Steps, read_conditions, read_steps


@dataclass(frozen=True, slots=True)
class RuleView:
    """A rule with its terms as they are read. `problem`: why they cannot be; it matches nothing
    then."""

    rule: AlertRule
    conditions: Conditions
    steps: Steps
    problem: str | None = None

    @property
    def is_on(self) -> bool:
        return self.rule.switched_on_at is not None


def list_rules() -> list[RuleView]:
    """In the order in which they are tried."""
    return [view_rule(rule) for rule in query_rules()]


def query_rules() -> list[AlertRule]:
    ordered = select(AlertRule).order_by(AlertRule.position, AlertRule.id)
    return list(db.session.scalars(ordered.execution_options(populate_existing=True)))


def view_rule(rule: AlertRule) -> RuleView:
    try:
        return RuleView(rule, read_conditions(rule.conditions), read_steps(rule.steps))
    except InvalidInput as error:
        return RuleView(rule, Conditions(), Steps(), error.message)


def get_rule(rule_id: int) -> AlertRule:
    rule = db.session.scalar(
        select(AlertRule).where(AlertRule.id == rule_id).execution_options(populate_existing=True)
    )
    if rule is None:
        raise NotFound("This rule does not exist.")
    return rule


def is_any_on() -> bool:
    """Whether anybody can be told of alerts at all."""
    return (
        db.session.scalar(
            select(AlertRule.id).where(AlertRule.switched_on_at.is_not(None)).limit(1)
        )
        is not None
    )


def count_decided() -> dict[int | None, int]:
    """By the id of a rule: of how many alerts it decided the present occurrence, as the list of
    alerts with that rule as its filter shows them."""
    rows = db.session.execute(
        select(AlertHandling.rule_id, func.count())
        .join(Alert, IS_PRESENT)
        .where(AlertHandling.rule_id.is_not(None))
        .group_by(AlertHandling.rule_id)
    )
    return {row[0]: row[1] for row in rows}
