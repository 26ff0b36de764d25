from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from flask import Flask

from portal.web.template_helpers import (
    ago,
    clock_time,
    duration,
    every,
    grouped,
    iso_time,
    model,
    moment,
    url_with,
    with_times,
)
from portal.wording import say_moment

NOW = datetime(2026, 11, 23, 5, 41, 30, tzinfo=UTC)


def test_a_time_of_another_day_has_its_day() -> None:
    assert clock_time(NOW, now=NOW) == "05:41 UTC"
    assert clock_time(NOW - timedelta(hours=5), now=NOW) == "00:41 UTC"
    assert clock_time(NOW - timedelta(hours=6), now=NOW) == "22 Nov, 23:41 UTC"
    elsewhere = NOW.astimezone(timezone(timedelta(hours=9)))
    assert clock_time(elsewhere, now=NOW) == "05:41 UTC"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "just now"),
        (9, "just now"),
        (59, "59 seconds ago"),
        (60, "1 minute ago"),
        (3599, "59 minutes ago"),
        (2 * 3600, "2 hours ago"),
        (86400, "1 day ago"),
        (400 * 86400, "400 days ago"),
        (-30, "just now"),
        (-600, "in 10 min"),
    ],
)
def test_ago(seconds: int, words: str) -> None:
    assert ago(NOW - timedelta(seconds=seconds), now=NOW) == words


def test_times_are_told_in_utc() -> None:
    there = NOW.astimezone(timezone(timedelta(hours=2)))

    assert say_moment(there) == "23 Nov 2026, 05:41 UTC"
    assert moment(there) == moment(there.isoformat())
    assert moment(there) == (
        '<time datetime="2026-11-23T05:41:30Z" title="23 Nov 2026, 05:41 UTC" data-moment>'
        "23 Nov 2026, 05:41 UTC</time>"
    )
    assert iso_time(there) == "2026-11-23T05:41:30Z"


@pytest.mark.parametrize(
    ("said", "before", "behind"),
    [
        (f"Told by <b> on {say_moment(NOW)}.", "Told by &lt;b&gt; ", "."),
        ("It waits until 2026-11-23 05:41:09 UTC, if", "It waits until ", ", if"),
        ("Read on 2026-11-23 at 05:41 UTC & later", "Read ", " &amp; later"),
        ("2026-11-23T05:41:30.120000+00:00", "", ""),
        ("2026-11-23T05:41:30Z", "", ""),
    ],
)
def test_moments_in_a_sentence_become_times(said: str, before: str, behind: str) -> None:
    found = str(with_times(said))
    assert found.startswith(f'{before}<time datetime="2026-11-23T05:41:')
    assert found.endswith(f"23 Nov 2026, 05:41 UTC</time>{behind}")
    assert ("data-on>on 23" if "on" in said.split() else "data-moment>23") in found


@pytest.mark.parametrize("other", ["99 Nov 2026, 05:41 UTC", "2026-11-23T25:41:00Z", "", None, 7])
def test_what_is_no_moment_stays(other: object) -> None:
    assert with_times(other) == other


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (0.42, "0.4 s"),
        (14, "14 s"),
        (60, "1 min"),
        (725, "12 min 5 s"),
        (timedelta(days=6, hours=3, minutes=9), "6 d 3 h"),
        (86400 + 59, "1 d"),
    ],
)
def test_duration(length: timedelta | float, words: str) -> None:
    assert duration(length) == words


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("HP HP EliteBook 840 G8", "HP EliteBook 840 G8"),
        ("LENOVO ThinkPad T480s", "LENOVO ThinkPad T480s"),
        ("Dell", "Dell"),
        (None, ""),
    ],
)
def test_a_maker_is_named_once(words: str | None, shown: str) -> None:
    assert model(words) == shown


def test_numbers() -> None:
    assert grouped(12345) == "12,345"


@pytest.fixture
def app() -> Flask:
    app = Flask("portal")

    @app.get("/things/<int:thing_id>")
    def things(thing_id: int) -> str:
        return str(thing_id)

    return app


def test_intervals() -> None:
    assert [every(seconds) for seconds in (60, 300, 86400)] == [
        "every minute",
        "every 5 minutes",
        "every day",
    ]


def test_url_with_changes_only_what_it_is_told(app: Flask) -> None:
    with app.test_request_context("/things/3?q=a%26b&page=4&sort=name"):
        assert url_with(page=None) == "/things/3?q=a%26b&sort=name"
        assert url_with(sort="-name") == "/things/3?q=a%26b&page=4&sort=-name"
        assert url_with(q="", page=None) == "/things/3?sort=name"
