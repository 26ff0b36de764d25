"""How runs are described: the name of a kind, a sentence for what happened, pace and time left."""

from __future__ import annotations

from collections.abc import Iterable

from portal.clock import utc_now
from portal.models import SyncRun
from portal.models.runs.revert_action import RevertAction
from portal.models.runs.sync_run import OF_A_PERSON, RunStatus, SyncKind
from portal.scope import allowed_clients
from portal.services.runs.pace import measure_pace
from portal.services.runs.revert_previews import RevertPreview
from portal.wording import join_words, plural

NOT_DESCRIBED = ("seen", "unchanged")
"""Counts that say nothing of what happened."""
LEFT = ("waiting", "skipped", "failed", "conflicts")
"""Counts of what was left as it was. All others are of what the run did."""
PHRASES = {
    "missing": ("gone from Tactical", "gone from Tactical"),
    "conflicts": ("needs your decision", "need your decision"),
}
"""Of counts whose names are no words to say after a number: of one, and of more."""
NAMES = {
    SyncKind.AGENT: "One agent",
    SyncKind.AGENTS: "Chosen agents",
    SyncKind.APPLY: "Applied plan",
    SyncKind.ASSETS: "Asset change",
    SyncKind.REVERT: "Undo",
}
STATES = {
    RunStatus.QUEUED: "Waiting for a worker.",
    RunStatus.RUNNING: "At work.",
    RunStatus.SUCCESS: "Finished.",
    RunStatus.PARTIAL: "Finished, but not for every record.",
    RunStatus.FAILED: "The run failed.",
    RunStatus.CANCELLED: "Stopped early.",
    RunStatus.PLANNED: "The plan is ready. Nothing was changed.",
    RunStatus.HELD: "A part of it waits for a decision.",
}
NO_SYNCS = (SyncKind.PREVIEW, SyncKind.APPLY, SyncKind.REVERT, *OF_A_PERSON)
UNDOING = {
    RevertAction.REMOVED: "remove {}",
    RevertAction.CREATED: "bring back {}",
    RevertAction.MOVED: "move {} back",
    RevertAction.RELINKED: "give {} the former agent again",
    RevertAction.UPDATED: "change {} back",
    RevertAction.MAPPED: "map {} as before",
}
RECORDS = {
    SyncKind.ORGANIZATIONS: ("organization", "organizations"),
    SyncKind.ALERTS: ("alert", "alerts"),
    SyncKind.ASSETS: ("asset", "assets"),
    SyncKind.SOFTWARE: ("software entry", "software entries"),
}


def name_kind(kind: SyncKind) -> str:
    """`Devices`, `One agent`"""
    return NAMES.get(kind, str(kind).capitalize())


def name_run(run: SyncRun) -> str:
    """`Devices sync`, `Undo`"""
    return name_run_of(run.kind)


def name_run_of(kind: SyncKind) -> str:
    """As `name_run`."""
    return name_kind(kind) + ("" if kind in NO_SYNCS else " sync")


def describe_undo(preview: RevertPreview) -> str:
    """`Undoing this run would remove 1 asset and change 12 assets back.`"""
    actions = [
        words.format(plural(number, "organization" if action is RevertAction.MAPPED else "asset"))
        for action, words in UNDOING.items()
        if (number := preview.counts.get(action))
    ]
    if not actions:
        return "Nothing of this run can be undone."
    return f"Undoing this run would {join_words(actions)}."


def describe_run(run: SyncRun) -> str:
    """What happened, in a sentence: `3 created, 1 moved, 2 failed.` Whoever is limited to some
    clients reads how it ended: its counts are of all of them."""
    if allowed_clients() is not None:
        return STATES[run.status]
    if run.title and run.kind in OF_A_PERSON:
        return f"{run.title}."
    did = _describe_counts(run, [n for n in run.counts if n not in (*NOT_DESCRIBED, *LEFT)])
    match run.status:
        case RunStatus.QUEUED:
            return "Waiting for a worker."
        case RunStatus.RUNNING:
            return f"{did} so far." if did else "Nothing changed so far."
        case RunStatus.CANCELLED:
            why = "" if run.cancel_requested_at or not run.error else f" {run.error}"
            if did and run.kind in OF_A_PERSON and run.total:
                did = f"{run.done:,} of {run.total:,}: {did}"
            return (
                f"Stopped after {did}. These changes are kept.{why}"
                if did
                else f"Stopped early.{why}"
            )
        case RunStatus.FAILED:
            why = run.error or "The run failed."
            return f"{why} Before that: {did}." if did else why
        case RunStatus.PLANNED:
            return "The plan is ready. Nothing was changed."
        case RunStatus.HELD:
            return f"{f'{did}. ' if did else ''}The rest waits for your decision."
        case _:
            return _describe_end(run, did)


def describe_pace(run: SyncRun) -> str:
    """`42 a second, about 3 min left`; nothing before there is anything to go by."""
    pace = measure_pace(run, utc_now())
    if pace is None:
        return ""
    rate = f"{pace.per_second:,.0f}" if pace.per_second >= 10 else f"{pace.per_second:.1f}"
    left = f", {describe_time_left(pace.seconds_left)}" if pace.seconds_left is not None else ""
    return f"{rate} a second{left}"


def describe_time_left(seconds: float) -> str:
    """As exactly as it can be known: `a few seconds left`, `about 40 s left`, `about 2 h left`."""
    if seconds < 10:
        return "a few seconds left"
    if seconds < 55:
        return f"about {round(seconds / 10) * 10} s left"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"about {minutes} min left"
    hours, minutes = divmod(round(minutes / 10) * 10, 60)
    return f"about {hours} h{f' {minutes} min' if minutes else ''} left"


def _describe_end(run: SyncRun, did: str) -> str:
    if run.kind is SyncKind.REVERT:
        return _describe_revert(run, did)
    rest = _describe_counts(run, LEFT)
    text = ", ".join(filter(None, (did, rest))) if did else _describe_no_change(run, rest)
    warned = run.status is RunStatus.PARTIAL and not run.failed
    return f"{text}, with a warning." if warned else f"{text}."


def _describe_revert(run: SyncRun, did: str) -> str:
    kept = f"{run.skipped:,} could not go back" if run.skipped else ""
    details = ", ".join(filter(None, (did, kept)))
    did_what = f"Undid run {run.reverts_run_id}" if run.reverts_run_id else run.title or "Undone"
    return f"{did_what}{f': {details}' if details else ''}."


def _describe_no_change(run: SyncRun, rest: str) -> str:
    one, many = RECORDS.get(run.kind, ("agent", "agents"))
    if not run.seen:
        return f"No {many} found"
    alike = f"{run.unchanged:,} {one if run.unchanged == 1 else many} as before"
    details = ", ".join(filter(None, (alike if run.unchanged else "", rest)))
    return f"Nothing changed: {details}" if details else "Nothing changed"


def _describe_counts(run: SyncRun, names: Iterable[str]) -> str:
    """Those that are not zero."""
    counts = run.counts
    return ", ".join(_phrase(name, counts[name]) for name in names if counts.get(name))


def _phrase(name: str, number: int) -> str:
    words = PHRASES.get(name, (name, name))
    return f"{number:,} {words[0] if number == 1 else words[1]}"
