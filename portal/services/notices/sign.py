"""What is wrong, as far as it can be seen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from portal.models.notices.notice import NoticeKind

FEWEST_FAILURES: Final = 3
"""In a row: one that is tried once an hour is not down because it failed once."""


@dataclass(frozen=True, slots=True)
class Sign:
    """Something that is wrong, since when, and what to do about it. `subject` tells two of a kind
    apart."""

    tenant_id: int
    kind: NoticeKind
    subject: str
    since: datetime
    text: str
