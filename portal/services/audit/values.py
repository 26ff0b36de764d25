"""What of a value is kept in the audit trail: never a secret, and nothing endless."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

Values = Mapping[str, Any]

SECRETS = frozenset(
    {
        *("api_key", "code", "link", "password", "secret", "signing_secret", "token"),
        *("totp_code", "totp_secret", "recovery_codes", "client_secret"),
    }
)
"""Names whose values are never kept: `set` or `changed` stands for them."""
LONGEST_TEXT = 500
MOST_LISTED = 200


def clean_pair(before: Values | None, after: Values | None) -> tuple[Any, Any]:
    """Both as JSON keeps them on either database."""
    was = before or {}
    cleaned = {
        name: _cover(value, was.get(name)) if name in SECRETS else clean(value)
        for name, value in (after or {}).items()
    }
    return (
        None if before is None else {name: _clean_before(name, was[name]) for name in was},
        None if after is None else cleaned,
    )


def differing(before: Values, after: Values) -> tuple[dict[str, Any], dict[str, Any]]:
    """Of both only what is not the same."""
    names = [name for name in after if before.get(name) != after[name]]
    return {name: before.get(name) for name in names}, {name: after[name] for name in names}


def gathered(rows: Iterable[tuple[object, Values]]) -> dict[str, Any]:
    """What many had, by fact: the value where all had the same, else each value with the ids or
    names of those that had it."""
    found: defaultdict[str, defaultdict[Any, list[object]]]
    found = defaultdict(lambda: defaultdict(list))
    for row, values in rows:
        for name, value in values.items():
            found[name][value].append(row)
    return {
        name: next(iter(by_value))
        if len(by_value) == 1
        else {"none" if value is None else str(clean(value)): by_value[value] for value in by_value}
        for name, by_value in found.items()
    }


def clean_text(text: str) -> str:
    """As every database can keep it, and not longer than it helps."""
    text = "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text)
    return text if len(text) <= LONGEST_TEXT else f"{text[: LONGEST_TEXT - 1]}…"


def clean(value: Any) -> Any:
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        kept = {clean_text(str(name)): clean(each) for name, each in [*value.items()][:MOST_LISTED]}
        left = len(value) - MOST_LISTED
        return kept | {"and": f"{left} more"} if left > 0 else kept
    if isinstance(value, list | tuple | set | frozenset):
        return list_some([clean(each) for each in list(value)[:MOST_LISTED]], len(value))
    return clean_text(str(value))


def list_some(some: list[Any], total: int) -> list[Any]:
    """The first MOST_LISTED of so many, and how many more there are."""
    left = total - len(some)
    return [*some, f"and {left} more"] if left > 0 else some


def _clean_before(name: str, value: Any) -> Any:
    return _cover(value, None) if name in SECRETS else clean(value)


def _cover(value: Any, before: Any) -> str | None:
    if not value:
        return None
    return "changed" if before else "set"
