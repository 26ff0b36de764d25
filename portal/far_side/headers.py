"""Headers of a person's own choice, such as one that holds a key."""

from __future__ import annotations

import re
from collections.abc import Mapping

from portal.far_side.form import Field, Rejected

HEADERS_FIELD = Field(
    name="headers",
    label="Headers",
    input="textarea",
    is_secret=True,
    is_required=False,
    help="One on each line, such as “Authorization: Bearer …”. They are never shown again.",
    longest=4000,
)
RESERVED = (
    *("connection", "content-length", "content-type", "expect", "host", "idempotency-key"),
    *("transfer-encoding", "upgrade"),
)
"""Headers that are the portal's own to set."""
_HEADER = re.compile(r"([A-Za-z0-9!#$%&'*+.^_`|~-]+):[ \t]*([\x20-\x7e]*[\x21-\x7e])[ \t]*")


def read_headers(text: str) -> dict[str, str]:
    """Raises Rejected."""
    headers = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        found = _HEADER.fullmatch(line.strip())
        if found is None:
            raise Rejected({"headers": f"Line {number} is not a name, a colon and a plain value."})
        if found[1].lower() in RESERVED:
            raise Rejected({"headers": f"The portal sets {found[1]} itself. Leave it out."})
        headers[found[1]] = found[2]
    return headers


def list_parts(headers: Mapping[str, str]) -> list[str]:
    """What of them must not come back in an answer: each value, and each word of it."""
    return [*headers.values(), *(part for value in headers.values() for part in value.split())]
