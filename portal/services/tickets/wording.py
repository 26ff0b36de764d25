"""The words of tickets. Pure: knows neither Flask nor the database."""

from __future__ import annotations

from collections.abc import Mapping

from portal.channels import AlertFacts, Telling
from portal.channels import templating as messages
from portal.channels.wording import say_about, say_length, say_state
from portal.far_side.escaping import clean, cut, one_line
from portal.far_side.templating import BadTemplate, fill
from portal.helpdesks.carefully import LARGEST_TEXT
from portal.services.rules.terms import Of, TicketStep
from portal.wording import plural

LONGEST_SUBJECT = 200
LONGEST_LINE = 300
_OF_MESSAGES = {"acknowledge_url", "count", "double", "key", "lines", "reason", "sender"}
VALUES: Mapping[str, str] = {
    **{name: what for name, what in messages.VALUES.items() if name not in _OF_MESSAGES},
    "asset_url": "the asset’s page in the portal; empty where the alert has no asset",
}
"""What templates of tickets may name -> what it is, for people."""


def write_ticket(step: TicketStep, alert: AlertFacts, asset_url: str) -> tuple[str, str]:
    """Subject and body, of the alert for which it is opened. A template that cannot be used any
    more counts as none."""
    values = _list_values(alert, asset_url)
    subject = _fill(step.subject, values) or _make_subject(step.per, alert, values["title"])
    body = _fill(step.body, values) or _make_body(alert, values, asset_url)
    return cut(one_line(subject), LONGEST_SUBJECT), cut(clean(body), LARGEST_TEXT)


def say_raised(alert: AlertFacts, *, is_again: bool) -> str:
    """A line for a ticket that is there already."""
    return _say(f"{'Again' if is_again else 'Also'}: {say_state('raised', alert)}:", alert)


def say_over(alert: AlertFacts, active: int) -> str:
    """`active`: how many alerts of the ticket are not over."""
    lasted = f" after {say_length(alert.over - alert.began)}" if alert.over else ""
    left = f" {plural(active, 'alert')} still active." if active else ""
    return _say(f"Over{lasted}:", alert) + left


def _say(begins: str, alert: AlertFacts) -> str:
    message = one_line(alert.message)
    about = say_about(alert)
    text = f"{begins} {about}" + (f", {message}" if message and message != about else "")
    text = cut(text, LONGEST_LINE).rstrip(".") + "."
    return f"{text} {alert.url}" if alert.url else text


def _make_subject(per: Of, alert: AlertFacts, title: str) -> str:
    return f"Alerts of {alert.client}" if per == "client" and alert.client else title


def _make_body(alert: AlertFacts, values: Mapping[str, str], asset_url: str) -> str:
    links = [f"Alert: {alert.url}" if alert.url else "", f"Asset: {asset_url}" if asset_url else ""]
    about = f"{values['state']}: {values['about']}"
    parts = (about, values["text"], values["facts"], "\n".join(filter(None, links)))
    return "\n\n".join(part for part in parts if part)


def _list_values(alert: AlertFacts, asset_url: str) -> dict[str, str]:
    known = messages.list_values(Telling(key="", reason="raised", alerts=[alert]))
    return {name: known.get(name, "") for name in VALUES} | {"asset_url": asset_url}


def _fill(source: str, values: Mapping[str, str]) -> str:
    try:
        return fill(source, values) if source else ""
    except BadTemplate:
        return ""
