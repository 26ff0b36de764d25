"""What stands in the log, whoever has a hand in it: strangers, libraries, an internal error."""

from __future__ import annotations

import json
import logging
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from gunicorn.config import Config
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import OutOfMemoryError, ResponseError

from portal.config import Settings, read_settings
from portal.errors import ConfigError
from portal.supervisor.escaping import LONGEST_LINE, MOST_LINES, describe, escape
from portal.supervisor.logs import (
    JsonLines,
    OneLineForLostRedis,
    TextLines,
    WebLogger,
    console_line,
    set_up_logging,
)
from portal.work_id import carried, get_work_id, work

FORGED = "a@b\r\n2026-01-01T00:00:00.000Z INFO portal [-] well\x1b[2K\x9b1A\u202e\x85\u2028"
"""A second line, escape sequences of terminals, and letters that turn the text around."""
BEGINS = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z [A-Z]+ [\w.]+ \[.+?\] "


def settings(**environ: str) -> Settings:
    return read_settings({"PORTAL_LOG_LEVEL": "INFO", **environ})


def record_of(message: str, *args: object, **values: Any) -> logging.LogRecord:
    fields = {"name": "portal.web", "levelname": "WARNING", "levelno": logging.WARNING}
    return logging.makeLogRecord(fields | {"msg": message, "args": args} | values)


def thrown(error: BaseException) -> Any:
    try:
        raise error
    except BaseException as caught:
        return type(caught), caught, caught.__traceback__


@pytest.fixture
def own_logging(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The process's logging as it was, afterwards."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    monkeypatch.setattr("sys.excepthook", lambda *_: None)
    monkeypatch.setattr("threading.excepthook", lambda _: None)
    root.handlers = []
    yield
    root.handlers = handlers
    root.setLevel(level)


# --- What strangers typed ---------------------------------------------------------------


@pytest.mark.parametrize("form", [TextLines(), JsonLines()])
def test_nobody_forges_a_line(form: logging.Formatter) -> None:
    error = thrown(ValueError(FORGED))
    text = form.format(record_of("No such user: %s", FORGED, exc_info=error, stack_info=FORGED))
    assert all(letter.isprintable() or letter == "\n" for letter in text)
    first, *more = text.split("\n")
    assert r"\r\n2026-01-01" in first or r"\\r\\n2026-01-01" in first
    assert all(line.startswith("    ") for line in more)


@pytest.mark.parametrize("form", [TextLines(), JsonLines()])
def test_long_texts_are_cut(form: logging.Formatter) -> None:
    long = "x" * 480_000
    text = form.format(record_of("No such user: %s", long, exc_info=thrown(ValueError(long))))
    assert len(text) < 4 * LONGEST_LINE
    assert "480,014 characters" in text  # the message
    assert "480,012 characters" in text  # the error, after its name


def test_a_long_traceback_loses_its_middle() -> None:
    def dive(depth: int) -> None:
        if depth == 0:
            raise ValueError("\n".join(f"line {number}" for number in range(1000)))
        dive(depth - 1)

    try:
        dive(50)
    except ValueError as error:
        lines = describe(error).split("\n")
        entry = TextLines().format(record_of("It failed.", exc_info=thrown(error)))
    assert len(lines) == MOST_LINES + 1
    assert lines[0].startswith("Traceback")
    assert lines[-1] == "line 999"
    assert len(entry.split("\n")) == MOST_LINES + 2


def test_usual_text_stays_as_it_is() -> None:
    for text in ("", "plain", "Zürich, ключ, 東京 🔑", "C:\\new", "a" * LONGEST_LINE):
        assert escape(text) == text


def test_what_is_cut_stays_short_when_it_is_escaped() -> None:
    assert len(escape("\0" * 5000)) < LONGEST_LINE + 30
    assert escape("\ud800") == r"\ud800"


# --- The form of a line -----------------------------------------------------------------


def test_a_line_tells_time_level_and_id() -> None:
    with work("0123456789abcdef"):
        text = TextLines().format(record_of("Hello %s", "you", created=0.5))
    assert text == "1970-01-01T00:00:00.500Z WARNING portal.web [0123456789abcdef] Hello you"
    assert " [-] " in TextLines().format(record_of("Hello"))


def test_a_line_of_json_tells_the_same() -> None:
    error = thrown(ValueError("why"))
    with work("0123456789abcdef"):
        text = JsonLines().format(record_of("Hello", created=0.5, process=7, exc_info=error))
    entry = json.loads(text)
    assert "\n" not in text
    assert entry.pop("traceback")[-1] == "ValueError: why"
    assert entry == {
        "time": "1970-01-01T00:00:00.500Z",
        "level": "WARNING",
        "logger": "portal.web",
        "id": "0123456789abcdef",
        "process": 7,
        "message": "Hello",
    }


def test_the_form_is_a_setting() -> None:
    assert settings().log_format == "text"
    assert settings(PORTAL_LOG_FORMAT="JSON").log_format == "json"
    with pytest.raises(ConfigError, match="PORTAL_LOG_FORMAT must be one of text, json"):
        settings(PORTAL_LOG_FORMAT="xml")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (RedisConnectionError("refused"), "Redis is away: refused"),
        (OutOfMemoryError("used > maxmemory"), "Redis is full: used > maxmemory"),
        (ResponseError("NOPERM"), "Redis refuses: NOPERM"),
    ],
)
def test_redis_is_told_of_in_one_line(error: Exception, words: str) -> None:
    record = record_of("whatever", exc_info=thrown(error))
    assert OneLineForLostRedis().filter(record)
    assert TextLines().format(record).endswith(f"] {words}")


# --- Every handler ----------------------------------------------------------------------


@pytest.mark.usefixtures("own_logging")
def test_what_nobody_caught_is_told_in_our_form(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging(settings())

    def fail() -> None:
        raise ValueError(FORGED)

    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    first, *more = capsys.readouterr().err.rstrip("\n").split("\n")
    assert re.match(BEGINS + "Uncaught exception", first)
    assert more
    assert all(line.startswith("    ") for line in more)


@pytest.mark.usefixtures("own_logging")
def test_gunicorns_lines_have_our_form(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Started by hand it is the first to log; its files are formed like its console."""
    config = Config()
    config.set("accesslog", str(tmp_path / "access.log"))
    logger = WebLogger(config)
    logger.error("Invalid request: %s", FORGED)
    logging.getLogger("portal.web").warning("Hello %s", FORGED)
    logger.access_log.info("GET %s", FORGED)
    for handler in (*logger.access_log.handlers, *logger.error_log.handlers):
        handler.close()
    told = capsys.readouterr().err + (tmp_path / "access.log").read_text()
    assert len(told.splitlines()) == 3
    assert all(re.match(BEGINS, line) for line in told.splitlines())


@pytest.mark.usefixtures("own_logging")
def test_the_console_shows_what_a_child_printed_without_its_tricks() -> None:
    assert console_line("web", f"print{FORGED}").startswith(r"web       | printa@b\r\n2026")
    assert console_line("web", FORGED).isprintable()
    ours = TextLines().format(record_of("x" * 5000))
    assert console_line("web", ours) == f"web       | {ours}"


@pytest.mark.usefixtures("own_logging")
def test_the_console_is_json_too() -> None:
    set_up_logging(settings(PORTAL_LOG_FORMAT="json"))
    ours = JsonLines().format(record_of("Hello"))
    assert console_line("web", ours) == ours
    entry = json.loads(console_line("redis", "ready\x1b[2K"))
    assert (entry["logger"], entry["message"]) == ("redis", r"ready\x1b[2K")


# --- The id -----------------------------------------------------------------------------


def test_an_id_is_taken_over_only_if_it_is_one_of_ours() -> None:
    for carried_id in (None, "", "0123", FORGED, 7, ["0123456789abcdef"], "0123456789abcdef\n"):
        with work(carried_id):
            assert re.fullmatch("[0-9a-f]{16}", get_work_id())
            assert get_work_id() != carried_id
    assert get_work_id() == ""


def test_another_thread_goes_on_with_the_id() -> None:
    seen: list[str] = []

    def look() -> None:
        seen.append(get_work_id())

    with work("0123456789abcdef"):
        thread = threading.Thread(target=carried(look))
    thread.start()
    thread.join()
    assert seen == ["0123456789abcdef"]
