"""What each answer of Tactical means: one word and one message for each."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
import time_machine

from portal.egress import Answer
from portal.egress import errors as egress_errors
from portal.egress.errors import EgressError
from portal.tactical import errors
from portal.tactical.errors import LoginThrottled, MissingPermission, TacticalError, Throttled
from portal.tactical.http.answers import check_answer, read_date, read_detail, read_retry_after
from portal.tactical.http.permissions import LIST_SITES

JSON, HTML = {"Content-Type": "application/json"}, {"Content-Type": "text/html; charset=utf-8"}
NOT_FOUND_PAGE = b"<title>Not Found</title>"


def meaning(
    status: int, body: bytes = b"", headers: dict[str, str] = JSON, by: Any = "api_key"
) -> TacticalError:
    with pytest.raises(TacticalError) as caught:
        check_answer(Answer(status, headers, body), by, LIST_SITES)
    return caught.value


@pytest.mark.parametrize(
    ("status", "body", "headers", "fault", "field", "retryable"),
    [
        (200, b"<html>", HTML, "unexpected_answer", None, True),
        (301, b"", {"Location": "/core/"}, "redirect", "base_url", False),
        (400, b'"Bad credentials"', JSON, "request_refused", None, False),
        (400, b"<h1>Bad Request (400)</h1>", HTML, "host_not_allowed", "base_url", False),
        (401, b'{"detail":"Invalid token."}', JSON, "wrong_key", "api_key", False),
        (401, b'{"detail":"The token has expired."}', JSON, "expired_key", "api_key", False),
        (401, b'{"detail":"User inactive or deleted."}', JSON, "inactive_user", "api_key", False),
        (401, b"<html>", HTML, "unexpected_answer", None, True),
        (403, b'{"detail":"You do not"}', JSON, "missing_permission", None, False),
        (403, b"<html>blocked</html>", HTML, "unexpected_answer", None, True),
        (404, b'{"detail":"No Agent"}', JSON, "not_found", None, False),
        (404, NOT_FOUND_PAGE, HTML, "not_found", None, False),
        (405, b'{"detail":"Method"}', JSON, "request_refused", None, False),
        (429, b'{"detail":"Expected available in 60 seconds."}', JSON, "throttled", None, True),
        (500, b"<title>Server Error (500)</title>", HTML, "server_error", None, True),
        (502, b"<html>", HTML, "server_error", None, True),
        (503, b"", {}, "server_error", None, True),
    ],
)
def test_each_answer_has_its_word(
    status: int, body: bytes, headers: dict[str, str], fault: str, field: str, retryable: bool
) -> None:
    error = meaning(status, body, headers)

    assert (error.fault, error.field, error.retryable) == (fault, field, retryable)


@pytest.mark.parametrize("status", [200, 201, 204])
def test_data_has_no_other_meaning(status: int) -> None:
    check_answer(Answer(status, JSON, b"[]"), "api_key", None)
    check_answer(Answer(204, HTML, b""), "api_key", None)


def test_a_dead_token_is_no_wrong_key() -> None:
    for words in (b"Invalid token.", b"The token has expired."):
        assert meaning(401, b'{"detail":"%s"}' % words, by="password").fault == "token_refused"
    inactive = meaning(401, b'{"detail":"User inactive or deleted."}', by="password")
    assert (inactive.fault, inactive.field) == ("inactive_user", "username")


def test_no_page_is_told_from_no_record() -> None:
    page, record = meaning(404, NOT_FOUND_PAGE, HTML), meaning(404, b'{"detail":"No Agent."}')

    assert isinstance(page, errors.NotFoundInTactical)
    assert isinstance(record, errors.NotFoundInTactical)
    assert (page.is_html, record.is_html) == (True, False)
    assert "No Agent." in record.message


def test_the_permission_is_named() -> None:
    error = meaning(403, b'{"detail":"You do not have permission to perform this action."}')

    assert isinstance(error, MissingPermission)
    assert error.permission == "can_list_sites"
    assert "list sites" in error.message
    assert "can_list_sites" in error.message


def test_a_redirect_names_the_host_and_no_secret() -> None:
    location = "https://user:pw@sso.example.com/login?next=/&token=canary"
    message = meaning(302, headers={"Location": location}).message

    assert "https://sso.example.com" in message
    assert "canary" not in message
    assert "pw" not in message
    assert "to /core/version/." in meaning(301, headers={"Location": "/core/version/"}).message
    for odd in ("", "https://[::1", "//"):
        assert meaning(301, headers={"Location": odd}).fault == "redirect"


# --- Messages -------------------------------------------------------------------------------


def every_error() -> list[TacticalError | EgressError]:
    made: list[TacticalError | EgressError] = []
    for kind in [*vars(errors).values(), *vars(egress_errors).values()]:
        if not isinstance(kind, type) or kind in (TacticalError, EgressError):
            continue
        if issubclass(kind, Throttled):
            made.append(kind(90))
        elif issubclass(kind, MissingPermission):
            made.append(kind())
        elif issubclass(kind, TacticalError):
            made.append(kind("In words."))
        elif issubclass(kind, EgressError):
            made.append(kind("api.example.com", "1 MiB"))
    return made


def test_each_error_has_a_message_of_its_own_that_says_what_to_do() -> None:
    made = every_error()
    messages = [error.message for error in made]

    assert len(made) >= 30
    assert len(set(messages)) == len(messages)
    for message in messages:
        assert message.endswith((".", "1 MiB"))
        assert "  " not in message
        assert "{" not in message


def test_each_fault_has_a_word_of_its_own() -> None:
    shared = {  # several messages, one word
        "unexpected_answer": {"UnexpectedAnswer", "WebPage"},
        "totp_wrong": {"TotpWrong", "TotpSecretWrong"},
        "bad_certificate": {"BadCertificate", "NoTls"},
        "insecure_url": {"InsecureUrl", "InsecureMail"},
    }
    by_fault: dict[str, set[str]] = {}
    for error in every_error():
        by_fault.setdefault(error.fault, set()).add(type(error).__name__)

    assert {fault: kinds for fault, kinds in by_fault.items() if len(kinds) > 1} == shared
    assert all(fault.replace("_", "").isalpha() and fault.islower() for fault in by_fault)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "in 1 minute."),
        (60, "in 1 minute."),
        (100, "in 2 minutes."),
        (5000, "in 83 minutes."),
        (7200, "in 2 hours."),
        (86_400, "in 24 hours."),
    ],
)
def test_a_wait_is_told_in_words(seconds: float, words: str) -> None:
    assert words in Throttled(seconds).message
    assert words[:-1] in LoginThrottled(seconds).message


# --- Parts of answers -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"detail":"Not found."}', "Not found."),
        (b'"Unable to contact the agent"', "Unable to contact the agent"),
        (b'{"client_id":["Enter a number."]}', "client_id: Enter a number."),
        (b'{"non_field_errors":["One.","Two."]}', "non_field_errors: One., Two."),
        (b'{"a":1,"b":{"c":2}}', "a: 1; b: {'c': 2}"),
        (b"<html></html>", ""),
        (b"", ""),
        (b"null", ""),
        (b"[" * 100_000, ""),
        (b"\xff", ""),
        (b'"' + b"x" * 5000 + b'"', "x" * 300),
    ],
)
def test_the_words_of_an_error_body(body: bytes, words: str) -> None:
    assert read_detail(body) == words


NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "detail", "seconds"),
    [
        ("60", "", 60),
        (" 7 ", "", 7),
        ("1.5", "", 1.5),
        ("0", "", 0),
        (format_datetime(NOW + timedelta(seconds=90), usegmt=True), "", 90),
        (format_datetime(NOW - timedelta(seconds=90), usegmt=True), "", 0),
        ("Mon, 23 Nov 2026 12:01:00 -0000", "", 60),
        (None, "Request was throttled. Expected available in 45 seconds.", 45),
        (None, "", 60),
        ("soon", "", 60),
        ("²", "", 60),
        ("-5", "", 60),
        ("9" * 400, "", 60),
        ("Mon, 99 Nov 99999 99:99:99 GMT", "", 60),
    ],
)
def test_how_long_to_wait(header: str | None, detail: str, seconds: float) -> None:
    with time_machine.travel(NOW, tick=False):
        assert read_retry_after(header, detail) == seconds


@pytest.mark.parametrize("header", [None, "", "now", "17", "Mon, 99 Nov 2026 00:00:00 GMT"])
def test_what_is_no_date_is_none(header: str | None) -> None:
    assert read_date(header) is None
