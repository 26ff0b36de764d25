"""Cursors: where a list goes on, signed. Each is good for the list, the filters and the tenant that
it was made for, and for no other, so that nobody makes the database compare what it cannot."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from flask import current_app, request
from itsdangerous import BadData, URLSafeSerializer

from portal.api.authentication import get_access
from portal.errors import InvalidInput

SALT = "portal.api.cursor"
OF_ITS_OWN = ("cursor", "limit")
"""Arguments that may change from one part of a list to the next."""


def sign_cursor(end: str, arguments: Mapping[str, Any]) -> str:
    signed = _serializer(arguments).dumps(end)
    return signed if isinstance(signed, str) else signed.decode("ascii")


def open_cursor(cursor: str, arguments: Mapping[str, Any]) -> str:
    """The place that was signed. Raises InvalidInput."""
    try:
        end: str = _serializer(arguments).loads(cursor)
    except BadData as error:
        raise InvalidInput(
            "This cursor is not one of this list with these filters. Take `next` of the answer "
            "before as it is, and leave the filters as they were; or begin without a cursor.",
            field="cursor",
        ) from error
    return end


def _serializer(arguments: Mapping[str, Any]) -> URLSafeSerializer:
    filters = {name: str(arguments[name]) for name in sorted(arguments) if name not in OF_ITS_OWN}
    place = json.dumps([SALT, get_access().tenant_id, request.path, filters])
    return URLSafeSerializer(
        current_app.config["SECRET_KEY"],
        salt=place,
        signer_kwargs={"key_derivation": "hmac"},
    )
