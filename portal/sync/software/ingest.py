"""Ingesting software: the lists of all agents, as they stream in, into installs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from portal.clock import utc_now
from portal.db import release, transaction
from portal.errors import PortalError
from portal.models import Integration
from portal.sync.runs.log import RunEnded, RunLog, log_entry
from portal.sync.software.plan import (
    InstallChange,
    SoftwareOf,
    TitleKey,
    choose_spellings,
    count_spellings,
    plan_software,
)
from portal.sync.software.products import place_titles
from portal.sync.software.store import (
    apply_software,
    get_title_ids,
    list_uncounted_titles,
    load_agents,
    load_installs,
    refresh_counts,
    respell_titles,
)
from portal.sync.software.watches import look_at_watches
from portal.tactical.api import Tactical
from portal.tactical.reading.software_entries import Title
from portal.tactical.records import BadRecord
from portal.tactical.software import AgentSoftware
from portal.wording import plural

AGENTS_AT_ONCE = 200
ENTRIES_AT_ONCE = 20_000
"""What is written in one transaction: a fraction of a second's work."""
MOST_TITLES = 100_000
"""That are kept in memory: more than any fleet has, and 30 MB."""
MOST_SPELLINGS = 100_000
"""That are counted. Where there are more, the catalogue keeps those it has."""
MOST_LOGGED = 1000
"""Entries of a run's log: the first ingest changes every asset there is."""


def sync_software(integration: Integration, tactical: Tactical, run_log: RunLog) -> None:
    """One run over the whole fleet. Raises TacticalError, EgressError and RunEnded.

    What came before the list broke off is kept. A title counts as removed only by a list of
    its own agent that came whole, and by an empty one only when all the rest came too.
    """
    run_log.set_phase("Reading agents")
    ingest = _Ingest(run_log, _find_assets(integration.id, tactical))
    with transaction() as session:
        ingest.touched |= list_uncounted_titles(session, integration.id, run_log.run_id)
    run_log.set_phase("Reading software")
    with _counting_at_the_end(ingest):
        try:
            with closing(tactical.software.stream()) as rows:
                for row in rows:
                    ingest.take(row)
        except RunEnded:
            raise
        except PortalError:
            ingest.write()
            run_log.warn(
                f"The software list broke off after {plural(ingest.rows, 'agent')}. What had been "
                "read is kept, and nothing else was marked as removed."
            )
            raise
        ingest.write()
        ingest.write_empty()
        ingest.respell()
        ingest.note_nameless()


class _Ingest:
    """Gathers lists and writes them, many in one transaction."""

    def __init__(self, run_log: RunLog, assets: dict[int, tuple[int, str, str]]) -> None:
        self.rows = 0
        self.touched: set[int] = set()
        self._run_log = run_log
        self._assets = assets
        self._title_ids: dict[TitleKey, int] = {}
        self._spellings: Counter[Title] = Counter()
        self._seen: set[int] = set()
        self._waiting: list[SoftwareOf] = []
        self._entries = 0
        self._nameless = 0
        self._empty: list[SoftwareOf] = []
        self._counts: Counter[str] = Counter()
        self._log: list[dict[str, Any]] = []
        self._logged = 0

    def take(self, row: AgentSoftware | BadRecord) -> None:
        """Raises RunEnded."""
        self._run_log.check()
        self.rows += 1
        if isinstance(row, BadRecord):
            self._fail(row.hint, row.reason)
        elif row.pk in self._seen:
            self._fail(
                f"agent {row.pk}",
                "A second list for this agent was ignored.",
            )
        else:
            self._seen.add(row.pk)
            self._take_list(row)
        if len(self._waiting) >= AGENTS_AT_ONCE or self._entries >= ENTRIES_AT_ONCE:
            self.write()

    def _take_list(self, row: AgentSoftware) -> None:
        asset = self._assets.get(row.pk)
        if asset is None:
            self._counts.update(seen=len(row.entries), skipped=len(row.entries))
            return
        entry = SoftwareOf(*asset, row)
        self._nameless += row.nameless
        if row.entries or row.bad or row.nameless:
            self._waiting.append(entry)
            self._entries += len(row.entries)
        else:
            self._empty.append(entry)

    def write(self) -> None:
        """Plan and write what waits, in one transaction. Raises RunEnded."""
        if not self._waiting and not self._counts:
            return
        lists, self._waiting, self._entries = self._waiting, [], 0
        now = utc_now()
        with transaction() as session:
            known = load_installs(session, [each.asset_id for each in lists])
            spellings = count_spellings(lists)
            titles = choose_spellings(spellings)
            new = {key: titles[key] for key in titles.keys() - self._title_ids.keys()}
            ids = get_title_ids(session, new, now) if new else {}
            plan = plan_software(lists, known, self._title_ids | ids)
            apply_software(session, plan, list(known), now)
            log = self._log + self._describe(plan.changes)
            self._run_log.record(session, self._counts + plan.counts, log)
        self.touched |= plan.touched
        self._count(spellings)
        self._log, self._counts = [], Counter()
        if len(self._title_ids) > MOST_TITLES:
            self._title_ids = {}
        self._title_ids |= ids

    def write_empty(self) -> None:
        """The empty lists, now that the whole answer came: of who had some, it is gone."""
        while self._empty:
            self._waiting, self._empty = (
                self._empty[:AGENTS_AT_ONCE],
                self._empty[AGENTS_AT_ONCE:],
            )
            self.write()

    def _count(self, spellings: Counter[Title]) -> None:
        if len(self._spellings) <= MOST_SPELLINGS:
            self._spellings.update(spellings)

    def respell(self) -> None:
        """Now that every list came: each title as most lists spell it. Raises RunEnded."""
        self._run_log.check()
        if 0 < len(self._spellings) <= MOST_SPELLINGS:
            with transaction() as session:
                respell_titles(session, choose_spellings(self._spellings))

    def note_nameless(self) -> None:
        """Tactical holds such entries as it holds any, so they are no failure."""
        if self._nameless:
            entries = plural(self._nameless, "entry", "entries")
            reason = f"Ignored {entries} without a name."
            with transaction() as session:
                self._run_log.note(session, [log_entry("note", reason=reason)])

    def _fail(self, name: str, reason: str) -> None:
        self._counts.update(seen=1, failed=1)
        if self._may_log():
            self._log.append(log_entry("failed", name=name, reason=reason))

    def _describe(self, changes: list[InstallChange]) -> list[dict[str, Any]]:
        return [_describe(change) for change in changes if self._may_log()]

    def _may_log(self) -> bool:
        self._logged += 1
        return self._logged <= MOST_LOGGED


def _find_assets(integration_id: int, tactical: Tactical) -> dict[int, tuple[int, str, str]]:
    """Asset id, agent_id and name by Tactical's pk, which is all that the list names.

    As Tactical gives the pk out now: a server that was restored may have given one that is
    stored here to another agent.
    """
    with transaction() as session:
        stored = load_agents(session, integration_id)
    release()
    found = {}
    for agent_id, pk in tactical.list_agent_pks().items():
        if agent_id in stored:
            asset_id, name = stored[agent_id]
            found[pk] = (asset_id, agent_id, name)
    return found


@contextmanager
def _counting_at_the_end(ingest: _Ingest) -> Iterator[None]:
    """Bring the catalogue's counts up to date, also when the run ends early."""
    try:
        yield
    except PortalError:
        _refresh(ingest)
        raise
    _refresh(ingest)


def _refresh(ingest: _Ingest) -> None:
    with transaction() as session:
        refresh_counts(session, ingest.touched | place_titles(session))
        look_at_watches(session)  # of other products too: assets may have changed their client


def _describe(change: InstallChange) -> dict[str, Any]:
    numbers = {
        "installed": change.installed,
        "updated": change.updated,
        "removed": change.removed,
    }
    counted = ", ".join(f"{number} {word}" for word, number in numbers.items() if number)
    if change.bad:
        return log_entry("failed", change.agent_id, change.name, _describe_bad(change.bad, counted))
    return log_entry("updated", change.agent_id, change.name, f"Software: {counted}.")


def _describe_bad(bad: tuple[str, ...], counted: str) -> str:
    reasons = " ".join(
        reason if number == 1 else f"{reason} ({number} times)"
        for reason, number in Counter(bad).items()
    )
    return f"{reasons} The others: {counted}." if counted else reasons
