"""What Tactical's answer means, when it is not the JSON that was asked for."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from portal.egress import Answer
from portal.tactical.errors import (
    ExpiredKey,
    HostNotAllowed,
    InactiveUser,
    MissingPermission,
    NotFoundInTactical,
    RedirectSeen,
    RequestRefused,
    ServerError,
    TacticalError,
    Throttled,
    TokenRefused,
    WebPage,
    WrongKey,
)
from portal.tactical.http.permissions import Permission
from portal.tactical.reading.decoding import UNDECODABLE

LONGEST_DETAIL = 300
DEFAULT_WAIT = 60.0

SignedInBy = Literal["api_key", "password"]


def check_answer(answer: Answer, signed_in_by: SignedInBy, needed: Permission | None) -> None:
    """Raise what an answer other than data with a 2xx means."""
    status, is_html = answer.status, bool(answer.body) and answer.content_type == "text/html"
    if 200 <= status < 300 and not is_html:
        return
    if 300 <= status < 400:
        raise RedirectSeen(_describe_target(answer))
    detail = read_detail(answer.body)
    if status == 404:
        raise NotFoundInTactical("" if is_html else detail, is_html)
    if status == 429:
        raise Throttled(read_retry_after(answer.headers.get("Retry-After"), detail))
    if status >= 500:
        raise ServerError(status)
    if status == 400 and is_html:
        raise HostNotAllowed
    if is_html:
        raise WebPage(f"status {status}")
    if status == 401:
        raise _unauthorised(detail, signed_in_by)
    if status == 403:
        raise MissingPermission(*needed) if needed else MissingPermission()
    raise RequestRefused(detail or f"status {status}")


def _unauthorised(detail: str, signed_in_by: SignedInBy) -> TacticalError:
    words = detail.lower()
    if "inactive" in words or "deleted" in words:
        error = InactiveUser()
        error.field = "username" if signed_in_by == "password" else "api_key"
        return error
    if signed_in_by == "password":
        return TokenRefused()
    return ExpiredKey() if "expired" in words else WrongKey()


def _describe_target(answer: Answer) -> str:
    """Where to, without what may be a secret in the query."""
    target = answer.headers.get("Location", "")
    try:
        parts = urlsplit(target)
        shown = f"{parts.scheme}://{parts.hostname}" if parts.hostname else parts.path
    except ValueError:
        shown = ""
    return f" to {shown[:LONGEST_DETAIL]}" if shown else ""


def read_detail(body: bytes) -> str:
    """The words of an error body: an object's `detail`, a bare string, or nothing (HTML)."""
    try:
        found = msgspec.json.decode(body)
    except UNDECODABLE:
        return ""
    if isinstance(found, dict):
        found = found.get("detail") or "; ".join(
            f"{name}: {', '.join(map(str, problem)) if isinstance(problem, list) else problem}"
            for name, problem in found.items()
        )
    return "" if found is None else str(found)[:LONGEST_DETAIL]


def read_retry_after(header: str | None, detail: str = "") -> float:
    """Seconds to wait: from the header (seconds or a date), else from the words, else a minute."""
    text = (header or "").strip()
    if re.fullmatch(r"[0-9]{1,9}(\.[0-9]*)?", text):
        return float(text)
    until = read_date(text)
    if until is not None:
        return max(0.0, (until - datetime.now(UTC)).total_seconds())
    found = re.search(r"([0-9]{1,9}) second", detail)
    return float(found[1]) if found else DEFAULT_WAIT


def read_date(header: str | None) -> datetime | None:
    """The moment that an HTTP date names; None for anything else."""
    try:
        found = parsedate_to_datetime(header or "")
    except (ValueError, TypeError, OverflowError):
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found
