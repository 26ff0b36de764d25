"""What a new server starts with beside its fleet: its users, a key, some alerts."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import timedelta

import pyotp

from tactical_simulator.alerting.alerting import begin_alert, end_alert
from tactical_simulator.fleet.accounts import ApiKey, Role, User
from tactical_simulator.fleet.agent import Agent
from tactical_simulator.fleet.dice import Dice
from tactical_simulator.fleet.status import OVERDUE, status_of
from tactical_simulator.state import State


@dataclass(frozen=True, slots=True)
class Credentials:
    """Of the API key's user `apiuser`, who has no TOTP, and of the administrator, who has."""

    api_key: str = field(default_factory=lambda: secrets.token_hex(16).upper(), repr=False)
    admin: str = "admin"
    admin_password: str = field(default_factory=secrets.token_urlsafe, repr=False)
    totp_secret: str = field(default_factory=pyotp.random_base32, repr=False)
    api_user: str = "apiuser"
    api_password: str = field(default_factory=secrets.token_urlsafe, repr=False)


def seed_accounts(state: State, credentials: Credentials) -> None:
    accounts = state.accounts
    accounts.roles["Integration"] = Role("Integration", superuser=True)
    accounts.users[credentials.admin] = User(
        credentials.admin, credentials.admin_password, credentials.totp_secret, superuser=True
    )
    accounts.users[credentials.api_user] = User(
        credentials.api_user, credentials.api_password, role="Integration"
    )
    accounts.keys[credentials.api_key] = ApiKey(credentials.api_key, credentials.api_user)


def seed_alerts(state: State, count: int) -> None:
    """Overdue agents have an availability alert, others a failing check; a third is resolved."""
    for number, pk in enumerate(state.agents.pks() * (count // max(len(state.agents), 1) + 1)):
        if len(state.alerts) >= count:
            return
        agent = state.agents.get(pk)
        if number < len(state.agents):
            _begin(state, agent, Dice(state.spec.seed, "alert", number))
        else:
            begin_alert(state, agent, "check", "warning", dashboard=True)


def _begin(state: State, agent: Agent, dice: Dice) -> None:
    is_overdue = status_of(agent, state.clock.datetime()) == OVERDUE
    severity = dice.choice(("error", "warning", "warning", "info"))
    if is_overdue:
        alert = begin_alert(state, agent, "availability", dashboard=True)
    elif dice.chance(30):
        alert = begin_alert(state, agent, "check", severity, dashboard=True)
    else:
        return
    if alert is None:
        return
    alert.alert_time -= timedelta(minutes=5 + dice.below(10_000))
    if not is_overdue and dice.chance(40):
        end_alert(state, alert)
