"""Calls to an identity provider: few, short, within one time for all of them."""

from __future__ import annotations

import json
import time
from typing import Any
from urllib.parse import urlencode

from portal.db import release
from portal.egress import EgressError, Limits
from portal.egress.limits import KIB
from portal.errors import PortalError
from portal.services.integrations.networks import get_gateway

SECONDS = 8.0
"""For all calls of a sign-in together: a person waits, and a thread with them."""
LARGEST = 512 * KIB
FORM = "application/x-www-form-urlencoded"


class ProviderFailed(PortalError):
    """The provider did not answer, or not as one does. The message says what is wrong."""


class Patience:
    """How long somebody waits, for several calls in a row."""

    def __init__(self, seconds: float | None = None) -> None:
        self._until = time.monotonic() + (SECONDS if seconds is None else seconds)

    def limits(self) -> Limits:
        """Of the next call. Raises ProviderFailed when the time is over."""
        left = self._until - time.monotonic()
        if left <= 0:
            raise ProviderFailed("The identity provider takes too long to answer.")
        return Limits(connect=min(left, 3.0), idle=min(left, 5.0), total=left, largest=LARGEST)


def get_json(url: str, patience: Patience) -> dict[str, Any]:
    """Raises ProviderFailed for anything but an object with status 200."""
    status, body = _call("GET", url, {"Accept": "application/json"}, None, patience)
    if status != 200:
        raise ProviderFailed(f"{url} answered with status {status}.")
    if body is None:
        raise ProviderFailed(f"{url} did not answer with a JSON object.")
    return body


def post_form(
    url: str, fields: dict[str, str], headers: dict[str, str], patience: Patience
) -> tuple[int, dict[str, Any]]:
    """Status and object. Raises ProviderFailed where there is none."""
    headers = {"Accept": "application/json", "Content-Type": FORM, **headers}
    status, body = _call("POST", url, headers, urlencode(fields).encode(), patience)
    if body is None:
        raise ProviderFailed(f"{url} answered with status {status} and without a JSON object.")
    return status, body


def _call(
    method: str, url: str, headers: dict[str, str], data: bytes | None, patience: Patience
) -> tuple[int, dict[str, Any] | None]:
    release()  # no transaction is held open while a server is waited for
    gateway = get_gateway()
    try:
        with gateway.stream(
            method, url, headers=headers, data=data, limits=patience.limits()
        ) as stream:
            answer = stream.read()
    except EgressError as error:
        raise ProviderFailed(error.message) from error
    return answer.status, _read_object(answer.body)


def _read_object(body: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
