"""Which notices begin and end, decided on values alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from portal.models.notices.notice import NoticeKind
from portal.services.notices.kinds import KINDS
from portal.services.notices.sign import Sign


@dataclass(frozen=True, slots=True)
class Lasting:
    """A notice that is not over. `calm_since`: without a sign of it since then."""

    id: int
    tenant_id: int
    kind: NoticeKind
    subject: str
    calm_since: datetime | None


class Step(StrEnum):
    BEGIN = "begin"
    CALM = "calm"
    """No sign of it any more; it is over if none comes back."""
    GO_ON = "go_on"
    """One came back."""
    END = "end"


@dataclass(frozen=True, slots=True)
class Change:
    """`at`: since when it lasts, is calm or over."""

    step: Step
    tenant_id: int
    at: datetime
    sign: Sign | None = None
    notice_id: int = 0


def plan_changes(
    signs: Sequence[Sign], lasting: Iterable[Lasting], now: datetime
) -> Iterator[Change]:
    """Of all tenants. Of one that is neither new nor over, nothing."""
    seen = {(sign.tenant_id, sign.kind, sign.subject): sign for sign in signs}
    for notice in lasting:
        sign = seen.pop((notice.tenant_id, notice.kind, notice.subject), None)
        if sign is None:
            yield from _plan_end(notice, now)
        elif notice.calm_since is not None:
            yield Change(Step.GO_ON, notice.tenant_id, now, notice_id=notice.id)
    for sign in seen.values():
        if sign.since <= now - KINDS[sign.kind].lasts:
            yield Change(Step.BEGIN, sign.tenant_id, sign.since, sign)


def _plan_end(notice: Lasting, now: datetime) -> Iterator[Change]:
    calm_since = notice.calm_since or now
    if calm_since <= now - KINDS[notice.kind].calm:
        yield Change(Step.END, notice.tenant_id, calm_since, notice_id=notice.id)
    elif notice.calm_since is None:
        yield Change(Step.CALM, notice.tenant_id, now, notice_id=notice.id)
