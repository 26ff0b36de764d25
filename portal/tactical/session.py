"""One conversation with a Tactical server: sign-in, retries, limits, and errors in words."""

from __future__ import annotations

import base64
import logging
import random
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Protocol

import msgspec
import pyotp

from portal.egress import Answer, EgressError, Limits, Stream
from portal.errors import PortalError
from portal.tactical.errors import (
    DashboardHost,
    ExpiredKey,
    HostNotAllowed,
    InactiveUser,
    LoginThrottled,
    MissingPermission,
    NotFoundInTactical,
    RedirectSeen,
    RequestRefused,
    ServerError,
    TacticalError,
    Throttled,
    TotpNeeded,
    TotpSecretWrong,
    TotpWrong,
    UnexpectedAnswer,
    WrongKey,
    WrongPassword,
)

log = logging.getLogger(__name__)

MOST_TRIES = 4
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
"""A longer Retry-After is reported instead of waited for."""
SKEW_IGNORED = timedelta(seconds=30)

MIB = 1024 * 1024
READ = Limits(idle=120, total=900, largest=512 * MIB)
"""A page of agents or the list of software: Tactical works up to a minute before it begins."""
HURRIED = Limits(connect=5, idle=20, total=40, largest=128 * MIB)
"""While a person waits."""


class Doorway(Protocol):
    """The part of `portal.egress.Door` that is used here."""

    def stream(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        json: Any = None,
        limits: Limits,
    ) -> Any: ...


@dataclass(frozen=True, slots=True)
class ApiKey:
    key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Password:
    """`totp_code` is one code, good for one sign-in; `totp_secret` makes new ones."""

    username: str
    password: str = field(repr=False)
    totp_secret: str | None = field(default=None, repr=False)
    totp_code: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)


Credentials = ApiKey | Password
KeepToken = Callable[[str | None], None]
FindToken = Callable[[], str | None]


class TacticalSession:
    """Requests to one server with one set of credentials.

    `on_token` is told each new token, and None when one is dead; `find_token` gives a token
    that another process may have stored since. `interactive` shortens every limit.
    """

    def __init__(
        self,
        base_url: str,
        credentials: Credentials,
        door: Doorway,
        *,
        on_token: KeepToken = lambda _token: None,
        find_token: FindToken = lambda: None,
        interactive: bool = False,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.base_url = base_url
        self.interactive = interactive
        self.clock_skew = timedelta()
        """Tactical's clock less ours, from the last answer; zero while they nearly agree."""
        self._credentials = credentials
        self._door = door
        self._on_token = on_token
        self._find_token = find_token
        self._sleep = sleep
        self._token = credentials.token if isinstance(credentials, Password) else None
        self._tries = 2 if interactive else MOST_TRIES

    # --- Requests -----------------------------------------------------------------------

    def get(self, path: str, query: Mapping[str, Any] | None = None) -> bytes:
        """The JSON text of a read. Raises TacticalError and EgressError."""
        return self.read("GET", path, query)

    def read(
        self,
        method: str,
        path: str,
        query: Mapping[str, Any] | None = None,
        json: Any = None,
        limits: Limits | None = None,
    ) -> bytes:
        """A request that changes nothing, tried again when that may help."""
        for attempt in range(1, self._tries + 1):
            try:
                return self._signed_in(method, path, query, json, limits)
            except (EgressError, TacticalError) as error:
                pause = self._pause_after(error, attempt)
                if pause is None:
                    raise
                log.info("%s %s: %s; trying again in %.1f s.", method, path, error.fault, pause)
                self._sleep(pause)
        raise AssertionError("the last attempt returns or raises")

    def write(self, method: str, path: str, json: Any = None) -> bytes:
        """A request that changes something: sent once."""
        return self._signed_in(method, path, None, json, None)

    def send_anonymous(self, method: str, path: str, json: Any = None) -> Answer:
        """Without credentials: the root page and the sign-in. Any status is an answer."""
        return self._send(method, path, None, json, {}, None)

    def log_out(self) -> None:
        """End the token at Tactical, if there is one, and forget it."""
        if self._token is None:
            return
        answer = self._send("POST", "/logout/", None, None, self._auth_headers(), None)
        self._drop_token()
        if answer.status not in (204, 401):
            check_answer(answer, "api_key")

    # --- One attempt --------------------------------------------------------------------

    def _signed_in(
        self,
        method: str,
        path: str,
        query: Mapping[str, Any] | None,
        json: Any,
        limits: Limits | None,
    ) -> bytes:
        """With credentials; a token that died is replaced once."""
        self._ensure_token()
        used = self._token
        answer = self._send(method, path, query, json, self._auth_headers(), limits)
        if answer.status == 401 and isinstance(self._credentials, Password):
            self._renew_token(used)
            answer = self._send(method, path, query, json, self._auth_headers(), limits)
        field_name = "api_key" if isinstance(self._credentials, ApiKey) else "password"
        check_answer(answer, field_name)
        return answer.body

    def _send(
        self,
        method: str,
        path: str,
        query: Mapping[str, Any] | None,
        json: Any,
        headers: Mapping[str, str],
        limits: Limits | None,
    ) -> Answer:
        with self._stream(method, path, query, json, headers, limits) as stream:
            return Answer(stream.status, stream.headers, b"".join(stream.chunks))

    @contextmanager
    def _stream(
        self,
        method: str,
        path: str,
        query: Mapping[str, Any] | None,
        json: Any,
        headers: Mapping[str, str],
        limits: Limits | None,
    ) -> Iterator[Stream]:
        url = self.base_url + path + to_query(query)
        limits = limits or (HURRIED if self.interactive else READ)
        accept = {"Accept": "application/json", **headers}
        with self._door.stream(method, url, headers=accept, json=json, limits=limits) as stream:
            self._note_clock(stream.headers.get("Date"))
            yield stream

    def _auth_headers(self) -> dict[str, str]:
        """Never both: Tactical tries the token first, and a dead one beats a good key."""
        if isinstance(self._credentials, ApiKey):
            return {"X-API-KEY": self._credentials.key}
        return {"Authorization": f"Token {self._token}"}

    def _pause_after(self, error: PortalError, attempt: int) -> float | None:
        """Seconds until the next try; None when there shall be none."""
        if attempt >= self._tries or not error.retryable or isinstance(error, LoginThrottled):
            return None
        if isinstance(error, Throttled):
            return error.seconds if error.seconds <= self._longest_pause else None
        pause: float = FIRST_PAUSE * 2 ** (attempt - 1)
        return pause * random.uniform(0.5, 1.5)  # noqa: S311  # spreads retries, guards nothing

    @property
    def _longest_pause(self) -> float:
        return 2.0 if self.interactive else LONGEST_PAUSE

    def _note_clock(self, date: str | None) -> None:
        """Status is a matter of minutes, so Tactical's own clock decides when ours is off."""
        try:
            skew = parsedate_to_datetime(date or "") - datetime.now(UTC)
        except (ValueError, TypeError):
            return
        self.clock_skew = skew if abs(skew) > SKEW_IGNORED else timedelta()

    # --- Knox ---------------------------------------------------------------------------

    def _ensure_token(self) -> None:
        if isinstance(self._credentials, Password) and self._token is None:
            self._token = self._find_token() or self._sign_in(self._credentials)

    def _renew_token(self, dead: str | None) -> None:
        """Another process may have signed in already: its token is tried before a new login."""
        assert isinstance(self._credentials, Password)
        stored = self._find_token()
        if stored is not None and stored != dead:
            self._token = stored
            return
        self._drop_token()
        self._token = self._sign_in(self._credentials)

    def _drop_token(self) -> None:
        self._token = None
        self._on_token(None)

    def _sign_in(self, credentials: Password) -> str:
        """A new token. A user without TOTP gets it from the first of the two calls.

        That token lives three minutes, and its first use makes it five hours.
        """
        body = {"username": credentials.username, "password": credentials.password}
        answer = self.send_anonymous("POST", "/v2/checkcreds/", body)
        if answer.status == 400:
            raise WrongPassword
        checked = self._read_login(answer)
        token = checked.get("token")
        if checked.get("totp") is True or not isinstance(token, str):
            token = self._second_factor(credentials, body)
        self._on_token(token)
        return token

    def _second_factor(self, credentials: Password, body: dict[str, str]) -> str:
        code = _get_code(credentials)
        answer = self.send_anonymous("POST", "/v2/login/", {**body, "twofactor": code})
        # Answered, so spent: only a code that was lost on the way is sent again.
        self._credentials = replace(credentials, totp_code=None)
        if answer.status == 400:
            # The password passed a moment ago, unless this answer speaks of it by name.
            if b"non_field_errors" in answer.body:
                raise WrongPassword
            raise TotpWrong if credentials.totp_code else TotpSecretWrong
        token = self._read_login(answer).get("token")
        if not isinstance(token, str):
            raise UnexpectedAnswer("It answered a sign-in without a token.")
        return token

    def _read_login(self, answer: Answer) -> dict[str, Any]:
        try:
            check_answer(answer, "password")
        except Throttled as error:
            raise LoginThrottled(error.seconds) from None
        found = decode_json(answer.body)
        if not isinstance(found, dict):
            raise UnexpectedAnswer("It answered a sign-in in another form than it should.")
        return found


def _get_code(credentials: Password) -> str:
    """The one-time code without blanks, which Tactical refuses; else one made from the secret."""
    if credentials.totp_code:
        return "".join(credentials.totp_code.split())
    if not credentials.totp_secret:
        raise TotpNeeded
    secret = "".join(credentials.totp_secret.split()).upper()
    try:
        key = base64.b32decode(secret + "=" * (-len(secret) % 8))
        # HMAC fills a short key up with zeros itself; pyotp wants to be handed a long one.
        return pyotp.TOTP(base64.b32encode(key.ljust(20, b"\0")).decode()).now()
    except ValueError as error:  # not base 32
        raise TotpSecretWrong from error


# --- Answers ----------------------------------------------------------------------------


def check_answer(answer: Answer, credential_field: str) -> None:
    """Raise what an answer other than JSON with a 2xx means; `credential_field` as in forms."""
    status, is_html = answer.status, answer.content_type == "text/html"
    if 200 <= status < 300:
        if is_html:
            raise DashboardHost
        return
    if 300 <= status < 400:
        target = answer.headers.get("Location", "")
        raise RedirectSeen(f" to {target[:200]}" if target else "")
    detail = read_detail(answer.body)
    if status == 401:
        raise _unauthorised(detail, credential_field)
    if status == 403:
        raise MissingPermission
    if status == 404:
        raise NotFoundInTactical("" if is_html else detail, is_html)
    if status == 429:
        raise Throttled(read_retry_after(answer.headers.get("Retry-After"), detail))
    if status >= 500:
        raise ServerError(f"status {status}")
    if status == 400 and is_html:
        raise HostNotAllowed
    raise RequestRefused(detail or f"status {status}")


def _unauthorised(detail: str, credential_field: str) -> TacticalError:
    words = detail.lower()
    if "expired" in words:
        return ExpiredKey()
    if "inactive" in words or "deleted" in words:
        return InactiveUser("username" if credential_field == "password" else credential_field)
    return WrongKey() if credential_field == "api_key" else WrongPassword()


def read_detail(body: bytes) -> str:
    """The words of an error body: an object's `detail`, a bare string, or nothing (HTML)."""
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, ValueError):
        return ""
    if isinstance(found, dict):
        found = found.get("detail") or "; ".join(
            f"{name}: {', '.join(map(str, said)) if isinstance(said, list) else said}"
            for name, said in found.items()
        )
    return str(found)[:300]


def read_retry_after(header: str | None, detail: str = "") -> float:
    """Seconds to wait: from the header (seconds or a date), else from the words, else 60."""
    if header and header.strip().isdigit():
        return float(header)
    try:
        return max(0.0, (parsedate_to_datetime(header or "") - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        found = re.search(r"(\d+) second", detail)
        return float(found.group(1)) if found else 60.0


def decode_json(body: bytes) -> Any:
    """Any JSON value. Raises UnexpectedAnswer for what is cut off or no JSON at all."""
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, ValueError) as error:
        raise UnexpectedAnswer("It is not JSON, or was cut off on the way.") from error


def to_query(query: Mapping[str, Any] | None) -> str:
    return "?" + "&".join(f"{name}={value}" for name, value in query.items()) if query else ""
