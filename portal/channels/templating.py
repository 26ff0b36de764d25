"""The words of a message: a person's own, by templates, or the default ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from portal.channels.telling import AlertFacts, Telling
from portal.channels.wording import (
    MAY_BE_DOUBLE,
    say_about,
    say_facts,
    say_length,
    say_lines,
    say_state,
    say_title,
)
from portal.far_side.escaping import clean, cut, for_plain, one_line
from portal.far_side.templating import BadTemplate, Escape, fill
from portal.wording import say_moment

PARTS: Mapping[str, str] = {
    "subject": "Subject",
    "text": "Text",
    "digest_subject": "Subject of many at once",
    "digest_text": "Text of many at once",
    "notice_subject": "Subject of the portal’s own notices",
    "notice_text": "Text of the portal’s own notices",
    "body": "Body",
}
"""What can be worded, and its name for people."""
LONGEST_VALUE = 2000
LONGEST_TITLE = 300
LONGEST_FACT = 200
"""Characters of a line of a message, too."""
VALUES: Mapping[str, str] = {
    "title": "what happened and to what: “Overdue: SRV-01 (Contoso)”",
    "state": "what happened: “Overdue”, “Still overdue”, “Resolved”",
    "about": "to what: “SRV-01 (Contoso)”",
    "reason": "raised, reminder, escalated, resolved, notice, notice_over or test",
    "hostname": "the computer",
    "client": "the client",
    "site": "the site",
    "severity": "info, warning or error",
    "urgency": "low, normal, high or critical",
    "kind": "availability, check, task or custom",
    "message": "what Tactical RMM says",
    "check": "the name of the check or the task",
    "system": "the operating system",
    "asset_type": "server, workstation, …",
    "began": "when it began",
    "over": "when it was resolved; empty while it is active",
    "lasted": "how long it lasted; empty while it is active",
    "occurrence": "1, or how often the alert was raised by now",
    "rule": "the rule that decided",
    "facts": "lines such as “Site: Berlin”: all that is known and not in the title",
    "url": "the alert’s page in the portal; of a notice, where something can be done",
    "acknowledge_url": "the link by which it is acknowledged; may be empty",
    "count": "how many alerts the message tells of",
    "lines": "of many at once: a line for each alert or client",
    "text": "the default text, whole",
    "double": "a sentence, when the message may be a second copy; else empty",
    "key": "the message’s own key, the same at each attempt",
    "sender": "the name of this tenant",
}
"""Name of a value -> what it is, for people."""
_NOTICES = ("notice", "notice_over")
_AS_IT_IS = (
    *("hostname", "client", "site", "severity", "urgency", "kind", "message", "check"),
    *("system", "asset_type", "rule", "url", "acknowledge_url"),
)


@dataclass(frozen=True, slots=True)
class Rendered:
    """`title` is plain text. `text`, `facts` and `lines` are escaped."""

    title: str
    text: str
    facts: tuple[tuple[str, str], ...] = ()
    double: str = ""


def render(telling: Telling, escape: Escape = for_plain) -> Rendered:
    """The message in the channel's own words where it has such, else in the default ones."""
    values = list_values(telling)
    prefix, own = _choose_words(telling)
    title = _fill_own(own.get(f"{prefix}subject"), values, for_plain) or values["title"]
    title = cut(one_line(title), LONGEST_TITLE)
    double = escape(values["double"])
    text = _fill_own(own.get(f"{prefix}text"), values, escape)
    if text:
        return Rendered(title, text, double=double)
    return Rendered(
        title,
        escape(_default_text(telling)),
        tuple((escape(label), escape(value)) for label, value in _list_facts(telling)),
        double,
    )


def _choose_words(telling: Telling) -> tuple[str, Mapping[str, str]]:
    """What the names of its parts begin with, and the templates that may word it: tests and links
    always have the portal's words."""
    if telling.groups:
        return "digest_", telling.templates
    if telling.alerts:
        return "", telling.templates
    return "notice_", telling.templates if telling.reason in _NOTICES else {}


def _fill_own(source: str | None, values: Mapping[str, str], escape: Escape) -> str:
    """Empty where the default is wanted, which also serves for what cannot be used any more."""
    try:
        return fill(source, values, escape) if source else ""
    except BadTemplate:
        return ""


def list_values(telling: Telling) -> dict[str, str]:
    """Each of VALUES, as plain text."""
    alert = telling.alerts[0] if telling.alerts and not telling.groups else None
    values = dict.fromkeys(VALUES, "") | (_list_alert(telling, alert) if alert else {})
    values |= {
        "title": say_title(telling),
        "url": alert.url if alert else telling.url,
        "reason": telling.reason,
        "count": str(sum(group.alerts for group in telling.groups) or len(telling.alerts)),
        "lines": _list_lines(telling) if telling.groups else "",
        "facts": "\n".join(f"{label}: {value}" for label, value in _list_facts(telling)),
        "text": _default_text(telling),
        "double": MAY_BE_DOUBLE if telling.may_be_double else "",
        "key": telling.key,
        "sender": telling.sender,
    }
    return {name: cut(clean(value), LONGEST_VALUE) for name, value in values.items()}


def _list_alert(telling: Telling, alert: AlertFacts) -> dict[str, str]:
    return {name: str(getattr(alert, name)) for name in _AS_IT_IS} | {
        "state": say_state(telling.reason, alert),
        "about": say_about(alert),
        "began": say_moment(alert.began),
        "over": say_moment(alert.over) if alert.over else "",
        "lasted": say_length(alert.over - alert.began) if alert.over else "",
        "occurrence": str(alert.occurrence),
    }


def _list_facts(telling: Telling) -> list[tuple[str, str]]:
    if telling.groups or not telling.alerts:
        return []
    facts = say_facts(telling.alerts[0])
    return [(label, cut(one_line(value), LONGEST_FACT)) for label, value in facts if value]


def _default_text(telling: Telling) -> str:
    if telling.groups:
        return _list_lines(telling)
    return clean(telling.alerts[0].message if telling.alerts else telling.text)


def _list_lines(telling: Telling) -> str:
    return "\n".join(cut(one_line(line), LONGEST_FACT) for line in say_lines(telling))
