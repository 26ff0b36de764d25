"""What people change of organizations, written as a run: so it stands in the log, in the audit, and
can be undone."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy.orm import Session

from portal.models import OrganizationMapping, SyncRun
from portal.models.runs.sync_run import SyncKind
from portal.services.audit.actions import Action
from portal.services.audit.record import Target, record
from portal.services.audit.values import gathered
from portal.services.clients import list_client_names
from portal.sync.reverting.mappings import CLIENT_CREATED, COLUMNS, MAPPED
from portal.sync.runs.log import log_entry
from portal.sync.runs.person_runs import add_person_run, record_done
from portal.wording import plural

_State = dict[str, Any]


@contextmanager
def recorded(
    session: Session,
    mappings: Sequence[OrganizationMapping],
    title: str,
    user_id: int | None,
    created: Collection[int] = (),
) -> Iterator[SyncRun]:
    """The body changes the organizations, at least one; `title` says as a sentence what it did, and
    `created` are the ids of clients that were created for it. A run of which nothing came is taken
    away again."""
    before = [_state_of(mapping) for mapping in mappings]
    run = add_person_run(session, mappings[0].integration_id, SyncKind.MAPPING, title, user_id)
    yield run
    session.flush()
    changed = [
        (mapping, was)
        for mapping, was in zip(mappings, before, strict=True)
        if run.moved or was != _state_of(mapping)
    ]
    if not changed:
        session.delete(run)  # all was so before
        return
    entries = [entry for mapping, was in changed if (entry := _log(mapping, was, created))]
    record_done(session, run, {"seen": len(mappings), "updated": len(entries)}, entries)
    _audit(run, changed)


def _log(
    mapping: OrganizationMapping, was: _State, created: Collection[int]
) -> dict[str, Any] | None:
    """What became of it, so that it can be undone."""
    now = _state_of(mapping)
    changes = {name: [was[name], now[name]] for name in COLUMNS if was[name] != now[name]}
    if not changes:
        return None
    external_id, name = mapping.external_organization_id, mapping.external_organization_name
    reason = CLIENT_CREATED if mapping.client_id in created else None
    return log_entry(MAPPED, external_id, name, reason, changes)


def _state_of(mapping: OrganizationMapping) -> _State:
    return {name: getattr(mapping, name) for name in COLUMNS}


def _audit(run: SyncRun, changed: Sequence[tuple[OrganizationMapping, _State]]) -> None:
    """One row, whether it is about one organization or about many."""
    mapping, was = changed[0]
    now = _state_of(mapping)
    action = Action.ORGANIZATIONS_MAPPED if run.moved else _choose_action(was, now)
    if len(changed) > 1:
        names = [each.external_organization_name for each, _was in changed]
        about = Target("organization", "", plural(len(names), "organization"))
        before = _gather((each, was) for each, was in changed)
        after = _gather((each, _state_of(each)) for each, _was in changed)
        record(action, about, before, {**after, "organizations": names, "run_id": run.id})
        return
    client = mapping.client.name if mapping.client else None
    about = Target("organization", mapping.id, mapping.external_organization_name)
    record(action, about, was, now | {"client": client, "run_id": run.id})


def _gather(states: Iterable[tuple[OrganizationMapping, _State]]) -> dict[str, Any]:
    """Of many, with the names of their clients."""
    found = list(states)
    names = list_client_names(state["client_id"] for _mapping, state in found)
    return gathered(
        (
            mapping.external_organization_name,
            {"client": names.get(state["client_id"] or 0)}
            | {name: state[name] for name in state if name != "client_id"},
        )
        for mapping, state in found
    )


def _choose_action(was: _State, now: _State) -> Action:
    if was["client_id"] == now["client_id"]:
        return Action.IGNORED_SET if was["ignored"] != now["ignored"] else Action.AUTO_SYNC_SET
    is_mapped = now["client_id"] is not None
    return Action.ORGANIZATIONS_MAPPED if is_mapped else Action.ORGANIZATION_UNMAPPED
