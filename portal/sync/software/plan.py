"""What lists of software mean for what is stored. Nothing is read or written here."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from operator import attrgetter
from typing import NamedTuple

import msgspec

from portal.tactical.reading.software_entries import SoftwareEntry, Title
from portal.tactical.software import AgentSoftware

TitleKey = tuple[str, str]
TitleIds = Mapping[TitleKey, int]
_title_of: Callable[[SoftwareEntry], Title] = attrgetter("title")


class KnownInstall(msgspec.Struct, frozen=True, gc=False):
    """A stored version of a title on an asset."""

    id: int
    installed_on: date | None
    removed: bool


Installs = dict[tuple[int, str], KnownInstall]
"""Of one asset, by title and version."""


class SoftwareOf(NamedTuple):
    """The list of an agent that has an asset."""

    asset_id: int
    agent_id: str
    name: str
    read: AgentSoftware


class NewInstall(NamedTuple):
    asset_id: int
    title_id: int
    version: str
    installed_on: date | None


class InstallChange(NamedTuple):
    """What a list brings for one asset, in numbers."""

    agent_id: str
    name: str
    installed: int
    updated: int
    removed: int
    bad: tuple[str, ...]


@dataclass(slots=True)
class SoftwarePlan:
    added: list[NewInstall] = field(default_factory=list)
    dated: list[NewInstall] = field(default_factory=list)
    """There already, with another date."""
    returned: list[int] = field(default_factory=list)
    removed: list[int] = field(default_factory=list)
    """Ids of installs."""
    touched: set[int] = field(default_factory=set)
    """Titles that are on more or fewer assets than before."""
    changes: list[InstallChange] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)


def count_spellings(lists: Sequence[SoftwareOf]) -> Counter[Title]:
    """How often the lists name each title in each spelling."""
    counted: Counter[Title] = Counter()
    for each in lists:
        counted.update(map(_title_of, each.read.entries))
    return counted


def choose_spellings(counted: Mapping[Title, int]) -> dict[TitleKey, Title]:
    """Each title, by its key, with its commonest name and its commonest publisher."""
    by_key: dict[TitleKey, list[Title]] = defaultdict(list)
    for title in counted:
        by_key[title.key].append(title)
    return {
        key: _choose_spelling(titles, counted) if len(titles) > 1 else titles[0]
        for key, titles in by_key.items()
    }


def _choose_spelling(titles: Sequence[Title], counted: Mapping[Title, int]) -> Title:
    """Of equally common ones always the same, and rather small letters than capitals."""
    names: Counter[str] = Counter()
    publishers: Counter[str] = Counter()
    for title in titles:
        names[title.name] += counted[title]
        publishers[title.publisher] += counted[title]
    name, publisher = (
        max(spellings, key=lambda text: (spellings[text], text))
        for spellings in (names, publishers)
    )
    return Title(name, titles[0].normalized_name, publisher, titles[0].normalized_publisher)


def plan_software(
    lists: Sequence[SoftwareOf], known: Mapping[int, Installs], title_ids: TitleIds
) -> SoftwarePlan:
    """`known` are the installs of each asset that is still there."""
    plan = SoftwarePlan()
    for each in lists:
        if each.asset_id in known:
            _plan_asset(plan, each, known[each.asset_id], title_ids)
        else:
            plan.counts["skipped"] += len(each.read.entries)
            plan.counts["seen"] += len(each.read.entries)
    return plan


def _plan_asset(
    plan: SoftwarePlan, each: SoftwareOf, installs: Installs, title_ids: TitleIds
) -> None:
    counts: Counter[str] = Counter()
    listed = set()
    for entry in each.read.entries:
        key = (title_ids[entry.title.key], entry.version)
        listed.add(key)
        counts[_plan_entry(plan, each.asset_id, key, entry, installs.get(key))] += 1
    if _is_evidence(each.read):
        for key, install in installs.items():
            if key not in listed and not install.removed:
                plan.removed.append(install.id)
                plan.touched.add(key[0])
                counts["removed"] += 1
    bad = each.read.bad
    counts["failed"], counts["skipped"] = len(bad), each.read.nameless
    counts["seen"] = len(each.read.entries) + len(bad) + each.read.nameless
    plan.counts += counts
    if bad or counts["created"] or counts["updated"] or counts["removed"]:
        numbers = counts["created"], counts["updated"], counts["removed"]
        plan.changes.append(InstallChange(each.agent_id, each.name, *numbers, bad))


def _plan_entry(
    plan: SoftwarePlan,
    asset_id: int,
    key: tuple[int, str],
    entry: SoftwareEntry,
    known: KnownInstall | None,
) -> str:
    """What the entry counts as. A date that is no longer reported stays as it was."""
    if known is None:
        plan.added.append(NewInstall(asset_id, *key, entry.installed_on))
        plan.touched.add(key[0])
        return "created"
    is_dated = entry.installed_on is not None and entry.installed_on != known.installed_on
    if is_dated:
        plan.dated.append(NewInstall(asset_id, *key, entry.installed_on))
    if known.removed:
        plan.returned.append(known.id)
        plan.touched.add(key[0])
    return "updated" if is_dated or known.removed else "unchanged"


def _is_evidence(read: AgentSoftware) -> bool:
    """Whether what the list does not name is gone: not where an entry could not be read."""
    return read.whole and bool(read.entries or not (read.bad or read.nameless))
