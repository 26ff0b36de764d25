"""Whether an alert meets a rule's conditions, and why. Pure: knows neither Flask nor the
database."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from portal.services.rules.hours import is_within, tell_hours
from portal.services.rules.patterns import compile_pattern
from portal.services.rules.terms import AtLeast, Conditions, Subject, Text
from portal.wording import join_words, plural

MOST_SEARCHED = 10_000
"""Characters of a message in which text is sought."""
_LISTS: dict[str, Callable[[Subject], str]] = {
    "severities": lambda s: f"Its severity is {s.severity}",
    "kinds": lambda s: f"Its kind is {s.kind}",
    "clients": lambda s: f"Its client is {s.client}" if s.client_id else "It has no client",
    "organizations": lambda s: (
        f"Its organization is {s.organization or s.organization_id}"
        if s.organization_id
        else "It has no organization"
    ),
    "sites": lambda s: f"Its site is {s.site or s.site_id}" if s.site_id else "It has no site",
    "assets": lambda s: f"Its asset is {s.hostname}" if s.asset_id else "It has no asset",
    "asset_types": lambda s: (
        f"Its asset is a {s.asset_type}" if s.asset_type else "It has no asset"
    ),
    "systems": lambda s: (
        f"Its operating system is {s.system}" if s.system else "Its operating system is not known"
    ),
}
"""Conditions that are lists -> what the alert is in that respect; in the order of the form."""
_LOOKED_AT = {
    **{"severities": "severity", "kinds": "kind", "clients": "client_id"},
    **{"organizations": "organization_id", "sites": "site_id", "assets": "asset_id"},
    **{"asset_types": "asset_type", "systems": "system"},
}


@dataclass(frozen=True, slots=True)
class Match:
    """`why` is a sentence for people. `waits_until`: then all conditions will be met, if the alert
    is still active; it has not lasted long enough yet."""

    matched: bool
    why: str
    waits_until: datetime | None = None


def explain(conditions: Conditions, subject: Subject, now: datetime, number: int = 1) -> Match:
    """`number`: what `Tally` counts, for conditions with `at_least`.

    An alert that is over is judged by how long it lasted.
    """
    if failed := find_unmet(conditions, subject):
        return Match(False, failed)
    wanted = conditions.at_least
    if wanted and number < wanted.number:
        return Match(False, f"{_tell_number(wanted, number)}, not {wanted.number:,}.")
    if minutes := conditions.lasting_minutes:
        enough = subject.since + timedelta(minutes=minutes)
        if (subject.over_at or now) < enough:
            return _too_short(subject, minutes, enough)
    return Match(True, _tell_met(conditions, subject, number))


def find_unmet(conditions: Conditions, subject: Subject) -> str | None:
    """Why the alert fails the conditions that look at itself alone: neither at how long it lasts
    nor at other alerts. None where it meets them."""
    for name, tell in _LISTS.items():
        wanted: tuple[Any, ...] = getattr(conditions, name)
        if wanted and not _is_among(name, wanted, subject):
            return f"{tell(subject)}, which is none that the rule names."
    if conditions.tags and subject.tags.isdisjoint(conditions.tags):
        return f"Its asset has no tag {join_words(conditions.tags)}."
    if conditions.text and not _is_found(conditions.text, subject.message):
        what = "The pattern" if conditions.text.is_pattern else "The text"
        return f"{what} “{conditions.text.sought}” is not in its message."
    if conditions.hours and not is_within(conditions.hours, subject.since):
        return f"It did not begin within the hours: {tell_hours(conditions.hours)}."
    return None


class Tally:
    """How many alerts there were of the same asset, client or check, for one rule's `at_least`.

    `others` are the subjects that `load_others` finds, the ones in question among them.
    """

    def __init__(self, conditions: Conditions, others: Iterable[Subject]) -> None:
        assert conditions.at_least is not None
        self._wanted = conditions.at_least
        self._moments: dict[object, list[datetime]] = defaultdict(list)
        for other in others:
            if find_unmet(conditions, other) is None:
                self._moments[key_of(self._wanted, other)].append(other.began_at)
        for moments in self._moments.values():
            moments.sort()

    def count(self, subject: Subject) -> int:
        """Those that began in the minutes before this one began, itself among them."""
        key = key_of(self._wanted, subject)
        if key is None:
            return 1
        moments = self._moments[key]
        earliest = subject.began_at - timedelta(minutes=self._wanted.minutes)
        return max(1, bisect_right(moments, subject.began_at) - bisect_left(moments, earliest))


def key_of(wanted: AtLeast, subject: Subject) -> object:
    """What alerts have in common that are counted together; None: it counts alone."""
    if wanted.of == "client":
        return subject.client_id
    return subject.asset_id if wanted.of == "asset" else subject.check_id


def _is_among(name: str, wanted: tuple[Any, ...], subject: Subject) -> bool:
    return getattr(subject, _LOOKED_AT[name]) in wanted


def _is_found(text: Text, message: str) -> bool:
    message = message[:MOST_SEARCHED]
    if text.is_pattern:
        return compile_pattern(text.sought).search(message) is not None
    return text.sought.casefold() in message.casefold()


def _too_short(subject: Subject, minutes: int, enough: datetime) -> Match:
    if subject.over_at is None:
        why = f"It waits until the alert has lasted {plural(minutes, 'minute')}."
        return Match(False, why, waits_until=enough)
    lasted = int((subject.over_at - subject.since).total_seconds() // 60)
    return Match(False, f"It lasted {plural(max(lasted, 0), 'minute')}, not {minutes:,}.")


def _tell_number(wanted: AtLeast, number: int) -> str:
    of = "check or task" if wanted.of == "check" else wanted.of
    verb = "was" if number == 1 else "were"
    what = plural(number, "such alert")
    return f"There {verb} {what} of its {of} within {plural(wanted.minutes, 'minute')}"


def _tell_met(conditions: Conditions, subject: Subject, number: int) -> str:
    """Each condition that is filled in, as the alert meets it."""
    met = [tell(subject) for name, tell in _LISTS.items() if getattr(conditions, name)]
    if conditions.tags:
        tags = join_words(sorted(subject.tags.intersection(conditions.tags)))
        met.append(f"Its asset has the tag {tags}")
    if conditions.text:
        met.append(f"Its message has “{conditions.text.sought}”")
    if conditions.hours:
        met.append(f"It began within the hours: {tell_hours(conditions.hours)}")
    if conditions.at_least:
        met.append(_tell_number(conditions.at_least, number))
    if conditions.lasting_minutes:
        met.append(f"It lasted at least {plural(conditions.lasting_minutes, 'minute')}")
    return " ".join(f"{each}." for each in met) or "The rule matches every alert."
