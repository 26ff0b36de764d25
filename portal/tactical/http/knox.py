"""Signing in with a user's name and password, and the token that comes of it.

A token lives five hours from its last use. Sign-ins are few (10 a minute and 300 a day from
one address), so the token is kept by the caller and shared between processes.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from threading import RLock
from typing import Any

import pyotp

from portal.egress import Answer
from portal.tactical.errors import (
    LoginThrottled,
    TotpNeeded,
    TotpSecretWrong,
    TotpWrong,
    UnexpectedAnswer,
    WrongPassword,
)
from portal.tactical.http.answers import check_answer, read_detail, read_retry_after
from portal.tactical.http.credentials import Password
from portal.tactical.reading.decoding import decode_json

Post = Callable[[str, dict[str, str]], Answer]
"""Sends an object to a path, without credentials."""
Pause = Callable[[float], None]
"""Waits so many seconds."""

_TOKEN = re.compile(r"[\x21-\x7e]{1,512}")


class TokenStore:
    """Where one session keeps its token, and finds that of others. This one shares nothing."""

    def keep(self, token: str | None) -> None:
        """Called with each new token, and with None when one is dead."""

    def find(self) -> str | None:
        """The last one that any process kept."""
        return None

    def lock(self, pause: Pause) -> AbstractContextManager[None]:  # noqa: ARG002  waits for nobody
        """Held during a sign-in, so that others find its token. While another process holds it,
        `pause` is called with seconds; it raises Abandoned."""
        return nullcontext()


class Knox:
    """One user's token: found, made, replaced and forgotten. Threads may share it."""

    def __init__(
        self,
        credentials: Password,
        post: Post,
        tokens: TokenStore,
        pause: Pause,
    ) -> None:
        self._credentials = credentials
        self._code = credentials.totp_code
        self._post = post
        self._tokens = tokens
        self._pause = pause
        self._token = _usable(credentials.token)
        self._lock = RLock()

    @property
    def token(self) -> str | None:
        """The one in use; None before a sign-in."""
        return self._token

    def get_token(self) -> tuple[str, bool]:
        """A token, and whether it is of this moment."""
        with self._lock:
            if self._token is not None:
                return self._token, False
            return self._adopt_or_sign_in(dead=None)

    def replace(self, dead: str) -> tuple[str, bool]:
        """Another token than the dead one: of another thread or process, else a new one."""
        with self._lock:
            if self._token not in (None, dead):
                return str(self._token), False
            return self._adopt_or_sign_in(dead)

    def forget(self) -> None:
        self._token = None
        self._tokens.keep(None)

    def _adopt_or_sign_in(self, dead: str | None) -> tuple[str, bool]:
        with self._tokens.lock(self._pause):
            stored = _usable(self._tokens.find())
            if stored is not None and stored != dead:
                self._token = stored
                return stored, False
            if dead is not None:
                self.forget()
            self._token = self._sign_in()
            self._tokens.keep(self._token)
            return self._token, True

    def _sign_in(self) -> str:
        """A new token. A user without TOTP gets it from the first of the two calls.

        That token lives three minutes, and its first use makes it five hours.
        """
        username, password = self._credentials.username, self._credentials.password
        answer = self._ask("/v2/checkcreds/", {"username": username, "password": password})
        if _is_refusal(answer):
            raise WrongPassword
        checked = _read_object(answer)
        if checked.get("totp") is True:
            return self._second_factor(username, password)
        return _get_token(checked)

    def _second_factor(self, username: str, password: str) -> str:
        used = self._code
        body = {"username": username, "password": password, "twofactor": self._get_code()}
        answer = self._ask("/v2/login/", body)
        # Judged, so spent: only a code that was lost on the way may be sent again.
        self._code = None
        if _is_refusal(answer):
            # The password passed a moment ago, unless this answer speaks of it by name.
            if b"non_field_errors" in answer.body:
                raise WrongPassword
            raise TotpWrong if used else TotpSecretWrong
        return _get_token(_read_object(answer))

    def _get_code(self) -> str:
        """The one-time code without blanks, which Tactical refuses; else one from the secret."""
        if self._code:
            return "".join(self._code.split())
        if not self._credentials.totp_secret:
            raise TotpNeeded
        secret = re.sub(r"[\s-]", "", self._credentials.totp_secret).upper()
        try:
            key = base64.b32decode(secret + "=" * (-len(secret) % 8))
        except ValueError:  # not base 32
            raise TotpSecretWrong from None
        # HMAC fills a short key up with zeros itself; pyotp wants to be handed a long one.
        return pyotp.TOTP(base64.b32encode(key.ljust(20, b"\0")).decode()).now()

    def _ask(self, path: str, body: dict[str, str]) -> Answer:
        """An answer that judged. A throttle is never waited out: it may last for a day."""
        answer = self._post(path, body)
        if answer.status == 429:
            words = read_detail(answer.body)
            raise LoginThrottled(read_retry_after(answer.headers.get("Retry-After"), words))
        return answer


def _is_refusal(answer: Answer) -> bool:
    """Wrong credentials are a 400 here. HTML is none of Tactical's words for them."""
    return answer.status == 400 and answer.content_type != "text/html"


def _read_object(answer: Answer) -> dict[str, Any]:
    check_answer(answer, "password", None)
    found = decode_json(answer.body)
    if not isinstance(found, dict):
        raise UnexpectedAnswer("The answer to the sign-in does not have the expected format.")
    return found


def _get_token(found: dict[str, Any]) -> str:
    token = _usable(found.get("token"))
    if token is None:
        raise UnexpectedAnswer("The answer to the sign-in contains no token.")
    return token


def _usable(token: Any) -> str | None:
    return token if isinstance(token, str) and _TOKEN.fullmatch(token) else None
