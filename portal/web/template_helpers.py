"""What templates may call besides Flask's own: times, sizes, addresses of files and pages."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from flask import Flask, request, url_for
from markupsafe import Markup, escape

from portal.clock import day_of
from portal.models.assets.labels import label_column
from portal.services.integrations.option_kinds import name_interval
from portal.services.windows.words import describe_length, describe_repeats, describe_times
from portal.web.day_charts import name_day
from portal.web.past import read_bounds
from portal.web.static_files import static_url
from portal.web.sync_runs.descriptions import (
    describe_pace,
    describe_run,
    describe_undo,
    name_kind,
    name_run,
)
from portal.wording import plural, say_moment

_IN_TEXT = re.compile(
    r"(?P<on>\bon )?"
    r"(?:(?P<words>\b\d{1,2} [A-Z][a-z]{2} \d{4}, \d\d:\d\d) UTC\b"
    r"|(?P<day>\b\d{4}-\d\d-\d\d)(?:T|,? (?:at )?)(?P<clock>\d\d:\d\d(?::\d\d)?)(?:\.\d+)?"
    r"(?:Z\b|\+00:00| UTC\b))"
)
"""A moment in a sentence: as `say_moment` has it; as ISO 8601 in UTC; and as older texts that are
kept have it, `2026-11-23 05:41 UTC` and `2026-11-23 at 05:41 UTC`."""
UNITS = (("day", 86400), ("hour", 3600), ("minute", 60))


def register(app: Flask) -> None:
    app.jinja_env.filters.update(
        ago=ago,
        moment=moment,
        day=name_day,
        utc=say_moment,
        with_times=with_times,
        interval=name_interval,
        clock_time=clock_time,
        iso_time=iso_time,
        duration=duration,
        model=model,
        grouped=grouped,
        local_day=local_day,
        mebibytes=mebibytes,
        plural=plural,
        every=every,
        indented_json=indented_json,
        is_ahead=is_ahead,
        pretty_json=pretty_json,
        label_column=label_column,
        name_kind=name_kind,
        name_run=name_run,
        describe_undo=describe_undo,
        describe_run=describe_run,
        describe_pace=describe_pace,
        describe_length=describe_length,
        describe_repeats=describe_repeats,
        describe_times=describe_times,
    )
    app.jinja_env.globals.update(
        static_url=static_url,
        url_with=url_with,
        url_with_query=url_with_query,
        day_bounds=read_bounds,
    )
    # Blocks leave no blank lines: pages stay readable, and a third smaller.
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True


def ago(moment: datetime, now: datetime | None = None) -> str:
    """`5 minutes ago`. The page keeps it true with the same wording (times.js)."""
    seconds = ((now or datetime.now(UTC)) - moment.astimezone(UTC)).total_seconds()
    if seconds < -60:
        return f"in {duration(-seconds)}"
    if seconds < 10:
        return "just now"
    if seconds < 60:
        return f"{plural(int(seconds), 'second')} ago"
    for unit, size in UNITS:
        if seconds >= size:
            return f"{plural(int(seconds // size), unit)} ago"
    return "just now"


def is_ahead(when: datetime) -> bool:
    """By a minute or more; what is nearer is as good as now."""
    return (when.astimezone(UTC) - datetime.now(UTC)).total_seconds() >= 60


def moment(when: datetime | str) -> Markup:
    """The same of a moment or of its ISO 8601 text; scripts turn it into the reader's own time
    (times.js)."""
    when = datetime.fromisoformat(when) if isinstance(when, str) else when
    return _time(when, "moment", say_moment(when))


def with_times(text: Any) -> Any:
    """A sentence of ours as HTML: what is a moment in it becomes one for scripts (times.js). What
    is no text, or is HTML already, stays."""
    if not isinstance(text, str) or isinstance(text, Markup):
        return text
    parts, at = [Markup("")], 0
    for found in _IN_TEXT.finditer(text):
        when = _read_moment(found)
        if when is not None:
            words = say_moment(when)
            time = _time(when, "on", f"on {words}") if found["on"] else _time(when, "moment", words)
            parts += [escape(text[at : found.start()]), time]
            at = found.end()
    return Markup("").join([*parts, escape(text[at:])])


def _read_moment(found: re.Match[str]) -> datetime | None:
    """None for what only looks like one."""
    try:
        if found["words"]:
            when = datetime.strptime(found["words"], "%d %b %Y, %H:%M")
        else:
            when = datetime.fromisoformat(f"{found['day']}T{found['clock']}")
    except ValueError:
        return None
    return when.replace(tzinfo=UTC)


def _time(when: datetime, kind: str, words: str) -> Markup:
    return Markup('<time datetime="{}" title="{}" data-{}>{}</time>').format(
        iso_time(when), say_moment(when), kind, words
    )


def clock_time(when: datetime, now: datetime | None = None) -> str:
    """`05:41 UTC`; of another day `22 Nov, 05:41 UTC`."""
    utc, today = when.astimezone(UTC), (now or datetime.now(UTC)).date()
    day = "" if utc.date() == today else f"{utc.day} {utc:%b}, "
    return f"{day}{utc:%H:%M} UTC"


def local_day(when: datetime) -> str:
    """`5 Oct 2026`, by the clock that days are counted by."""
    day = day_of(when)
    return f"{day.day} {day:%b %Y}"


def iso_time(when: datetime) -> str:
    return when.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def duration(length: timedelta | float) -> str:
    """The two largest units: `3 d 4 h`, `12 min 5 s`, `0.4 s`."""
    seconds = length.total_seconds() if isinstance(length, timedelta) else float(length)
    if seconds < 10:
        return f"{seconds:.1f} s"
    parts: list[str] = []
    rest = int(seconds)
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count} {unit}")
        elif parts:
            break
    return " ".join(parts[:2])


def model(words: str | None) -> str:
    """`HP EliteBook 840` of `HP HP EliteBook 840`: some makers begin their models' names with
    their own, and Tactical puts it before them."""
    maker, _, rest = (words or "").partition(" ")
    return rest if rest.lower().startswith(f"{maker.lower()} ") else words or ""


def grouped(number: int) -> str:
    """`12,345`"""
    return f"{number:,}"


def mebibytes(size: int) -> str:
    """`12.3 MiB` of bytes."""
    return f"{size / 1024**2:,.1f} MiB"


def every(seconds: int) -> str:
    """`every minute`, `every 5 minutes`, `every day`: of an interval in whole minutes."""
    return f"every {name_interval(seconds // 60).removeprefix('1 ')}"


def pretty_json(value: Any) -> str:
    """For people; it is escaped like any text."""
    return json.dumps(value, indent=2, ensure_ascii=False)


def indented_json(text: str) -> str:
    """As it is where it is no JSON, or was cut."""
    try:
        return pretty_json(json.loads(text))
    except ValueError:
        return text


def url_with(**changes: Any) -> str:
    """This page's address with some of its query changed; None or "" takes a part out."""
    return _with_query(url_for(request.endpoint or "", **(request.view_args or {})), changes)


def url_with_query(endpoint: str, changes: dict[str, Any] | None = None, **values: Any) -> str:
    """The address of another endpoint, with this page's query: its list as a file, say. `changes`:
    of the query, as for `url_with`."""
    return _with_query(url_for(endpoint, **values), changes or {})


def _with_query(path: str, changes: dict[str, Any]) -> str:
    """The query never passes through `url_for`, which takes some names for its own."""
    query: dict[str, Any] = dict(request.args.lists()) | changes
    query = {name: value for name, value in query.items() if value not in (None, "", [""])}
    return f"{path}?{urlencode(query, doseq=True, safe='/:,')}" if query else path
