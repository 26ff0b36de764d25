"""One conversation with a Tactical server: who we are, and what it answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import urlencode

from portal.egress import Answer, EgressError, Limits, Stream
from portal.tactical.errors import TacticalError, TokenRefused
from portal.tactical.http.answers import SignedInBy, check_answer, read_date
from portal.tactical.http.credentials import ApiKey, Credentials, Password
from portal.tactical.http.knox import Knox, TokenStore
from portal.tactical.http.permissions import find_permission
from portal.tactical.http.request import (
    HURRIED,
    HURRIED_FLEET,
    READ,
    WHOLE_FLEET,
    HttpGateway,
    Request,
    key_header,
    token_header,
)
from portal.tactical.http.retries import Retries

__all__ = ["ApiKey", "Credentials", "Password", "TacticalSession"]

SKEW_IGNORED = timedelta(seconds=2)
"""A `Date` has no parts of seconds: nearer than this, our own clock is the better one."""
SKEW_ABSURD = timedelta(days=366)
MOST_DEAD_TOKENS = 2
"""The one that we had, and one that another process had stored, which may be dead too."""

Value = TypeVar("Value")


class TacticalSession:
    """Requests to one server with one set of credentials; two threads may share it.

    `tokens` shares the token of a user with other processes; a key needs none.
    `interactive` shortens every limit and waits for no throttle.
    Every request raises TacticalError and EgressError, and what `tokens` raises.
    """

    def __init__(
        self,
        base_url: str,
        credentials: Credentials,
        gateway: HttpGateway,
        *,
        tokens: TokenStore | None = None,
        interactive: bool = False,
        sleep: Callable[[float], object] | None = None,
    ) -> None:
        self.base_url = base_url
        self.answered_at = datetime.now(UTC)
        """When the last answer began, by Tactical's clock; by ours while they nearly agree."""
        self.has_answered = False
        """Whether the last request with credentials was answered with what it asked for."""
        self.last_error: EgressError | TacticalError | None = None
        """What it came to otherwise."""
        self.certificate_ends_at: datetime | None = None
        """Until when the certificate is valid that the server showed; None without TLS."""
        self._gateway = gateway
        self._retries = Retries(interactive, sleep)
        self._key = credentials.key if isinstance(credentials, ApiKey) else None
        self._knox = None
        if isinstance(credentials, Password):
            tokens = tokens or TokenStore()
            self._knox = Knox(credentials, self._post, tokens, self._retries.pause)

    # --- Requests -----------------------------------------------------------------------

    def fetch(
        self,
        decode: Callable[[bytes], Value],
        path: str,
        query: Mapping[str, Any] | None = None,
        limits: Limits | None = None,
        *,
        method: str = "GET",
        json: Any = None,
    ) -> Value:
        """What `decode` makes of a read; a text that it cannot decode is asked for again."""
        request = Request(method, path, query, json, limits)
        return self._read(request, lambda chunks: decode(b"".join(chunks)))

    def fetch_part(
        self,
        consume: Callable[[Iterator[bytes]], Value],
        path: str,
        query: Mapping[str, Any],
        limits: Limits,
    ) -> Value:
        """What `consume` makes of a GET as it comes in; it may be called more than once.

        When the answer takes too long the caller asks for a smaller part: it is not repeated.
        """
        return self._read(Request("GET", path, query, limits=limits, splits=True), consume)

    def write(self, method: str, path: str, json: Any = None) -> bytes:
        """A request that changes something: sent once."""
        request = Request(method, path, json=json)
        return self._signed_in(lambda headers: self._checked(request, headers).body)

    @contextmanager
    def stream(
        self,
        path: str,
        query: Mapping[str, Any] | None = None,
        limits: Limits | None = None,
        *,
        once: bool = False,
    ) -> Iterator[Iterator[bytes]]:
        """The body of a GET in chunks, for what is too large to hold.

        Tried again until it begins, unless `once`; what breaks after that is raised between
        chunks.
        """
        request = Request("GET", path, query, limits=limits)
        with ExitStack() as stack:

            def begin(headers: Mapping[str, str]) -> Iterator[bytes]:
                return self._body_of(request, stack.enter_context(self._open(request, headers)))

            def attempt(headers: Mapping[str, str]) -> Iterator[bytes]:
                if once:
                    return begin(headers)
                return self._retries.try_often(lambda: begin(headers))

            yield self._signed_in(attempt)

    def get_root(self) -> Answer:
        """`GET /` without credentials, whatever it answers."""
        request = Request("GET", "/")
        return self._retries.try_often(lambda: self._send(request, {}))

    def log_out(self) -> None:
        """End the token at Tactical, if there is one, and forget it."""
        if self._knox is None or self._knox.token is None:
            return
        request = Request("POST", "/logout/")
        answer = self._send(request, token_header(self._knox.token))
        self._knox.forget()
        if answer.status != 401:
            self._check(request, answer)

    # --- Signed in -------------------------------------------------------------------------

    @contextmanager
    def abandoning(self) -> Iterator[None]:
        """Meanwhile, requests under way end as soon as they can and none is tried again."""
        self._retries.abandoned.set()
        try:
            yield
        finally:
            self._retries.abandoned.clear()

    def abandon(self) -> None:
        """For another thread: from now on every request fails, those under way included."""
        self._retries.abandoned.set()

    def wait_after(self, error: EgressError | TacticalError, number: int) -> None:
        """For a caller that streams: pause before try `number` + 1, or raise the error."""
        self._retries.wait_after(error, number)

    def _read(self, request: Request, consume: Callable[[Iterator[bytes]], Value]) -> Value:
        def ask(headers: Mapping[str, str]) -> Value:
            with self._open(request, headers) as stream:
                return consume(self._body_of(request, stream))

        def attempt(headers: Mapping[str, str]) -> Value:
            return self._retries.try_often(lambda: ask(headers), splits=request.splits)

        return self._signed_in(attempt)

    def _body_of(self, request: Request, stream: Stream) -> Iterator[bytes]:
        """The body of an answer that is data; raises what any other answer means."""
        if 200 <= stream.status < 300 and stream.content_type != "text/html":
            return stream.chunks
        answer = stream.read()
        self._check(request, answer)
        return iter((answer.body,))

    def _signed_in(self, attempt: Callable[[Mapping[str, str]], Value]) -> Value:
        """With credentials; what became of it is noted."""
        try:
            value = self._with_credentials(attempt)
        except (EgressError, TacticalError) as error:
            self.has_answered, self.last_error = False, error
            raise
        self.has_answered, self.last_error = True, None
        return value

    def _with_credentials(self, attempt: Callable[[Mapping[str, str]], Value]) -> Value:
        """A token that died is replaced, with one sign-in at most.

        Never both kinds: Tactical tries the token first, and a dead one beats a good key.
        """
        if self._knox is None:
            return attempt(key_header(self._key or ""))
        token, is_new = self._knox.get_token()
        for _ in range(MOST_DEAD_TOKENS):
            try:
                return attempt(token_header(token))
            except TokenRefused:
                if is_new:
                    raise
            token, is_new = self._knox.replace(token)
        return attempt(token_header(token))

    # --- One request --------------------------------------------------------------------

    def _post(self, path: str, body: dict[str, str]) -> Answer:
        return self._send(Request("POST", path, json=body), {})

    def _checked(self, request: Request, headers: Mapping[str, str]) -> Answer:
        answer = self._send(request, headers)
        self._check(request, answer)
        return answer

    def _check(self, request: Request, answer: Answer) -> None:
        signed_in_by: SignedInBy = "api_key" if self._knox is None else "password"
        check_answer(answer, signed_in_by, find_permission(request.method, request.path))

    def _send(self, request: Request, headers: Mapping[str, str]) -> Answer:
        with self._open(request, headers) as stream:
            return stream.read()

    @contextmanager
    def _open(self, request: Request, headers: Mapping[str, str]) -> Iterator[Stream]:
        query = f"?{urlencode(request.query)}" if request.query else ""
        with self._gateway.stream(
            request.method,
            self.base_url + request.path + query,
            headers={"Accept": "application/json", **headers},
            json=request.json,
            limits=self._limits_of(request),
            given_up=self._retries.abandoned,
        ) as stream:
            self._note_clock(stream.headers.get("Date"))
            self.certificate_ends_at = stream.certificate_ends_at
            stream.chunks = self._while_wanted(stream.chunks)
            yield stream

    def _limits_of(self, request: Request) -> Limits:
        """A person waits no longer for a page than for a small answer."""
        limits = request.limits or READ
        if not self._retries.interactive:
            return limits
        if limits is WHOLE_FLEET:
            return HURRIED_FLEET
        largest = request.limits.largest if request.limits else HURRIED.largest
        return replace(HURRIED, largest=largest)

    def _while_wanted(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            self._retries.check()
            yield chunk

    def _note_clock(self, header: str | None) -> None:
        """Status is a matter of minutes, so Tactical's own clock decides when ours is off."""
        ours, theirs = datetime.now(UTC), read_date(header)
        differs = theirs is not None and SKEW_IGNORED < abs(theirs - ours) < SKEW_ABSURD
        self.answered_at = theirs if theirs is not None and differs else ours
