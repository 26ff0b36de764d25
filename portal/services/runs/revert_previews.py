"""What taking a run back would do: planned when somebody looks, and kept to be paged through."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select

from portal.chunks import chunked
from portal.clock import utc_now
from portal.db import count_changed, db, transaction
from portal.models import RevertPage, SyncRun
from portal.models.runs.revert_action import RevertAction
from portal.models.runs.revert_page import KEPT_FOR
from portal.services.lists.paging import PAGE_SIZE, Page
from portal.services.runs.history import get_run
from portal.services.runs.reverts import check_revertible, list_reverts
from portal.sync.reverting.plan import AssetRevert

_FIELDS = tuple(each.name for each in fields(AssetRevert))


@dataclass(frozen=True, slots=True)
class RevertPreview:
    """How many records there are of each action, how many of which something has to stay, and one
    page of them."""

    run: SyncRun
    counts: dict[RevertAction, int]
    kept: int
    page: Page[AssetRevert]
    made_at: datetime

    @property
    def number(self) -> int:
        """Of records that would change."""
        return sum(self.counts.values()) - self.counts.get(RevertAction.UNCHANGED, 0)

    @property
    def is_empty(self) -> bool:
        """Whether nothing would change."""
        return not self.number


def preview_revert(run_id: int, number: int = 1) -> RevertPreview:
    """Whoever begins at the first page has it planned anew; further pages are those of that plan.
    Raises NotFound, and Refused where the run cannot be taken back."""
    run = get_run(run_id)
    page = _find_kept(run_id, number) if number > 1 else None
    if page is not None:
        check_revertible(run)
    else:
        pages = _make_pages(run)
        if len(pages) > 1:
            _keep(run_id, pages)
        page = pages[min(max(1, number), len(pages)) - 1]
    counts = {RevertAction(action): count for action, count in page.counts.items()}
    records = [_from_json(record) for record in page.records]
    return RevertPreview(
        run, counts, page.kept, Page(records, page.number, page.total), page.made_at
    )


def _find_kept(run_id: int, number: int) -> RevertPage | None:
    """The page, or the last one when there are fewer."""
    return db.session.scalar(
        select(RevertPage)
        .where(
            RevertPage.run_id == run_id,
            RevertPage.number <= number,
            RevertPage.made_at >= utc_now() - KEPT_FOR,
        )
        .order_by(RevertPage.number.desc(), RevertPage.id.desc())
        .limit(1)
    )


def _make_pages(run: SyncRun) -> list[RevertPage]:
    """Not added to the session yet."""
    found = list_reverts(run)
    same = {
        "run_id": run.id,
        "total": len(found),
        "counts": dict(Counter(str(each.action) for each in found)),
        "kept": sum(bool(each.kept) for each in found),
        "made_at": utc_now(),
    }
    return [
        RevertPage(**same, number=number, records=[_to_json(each) for each in some])
        for number, some in enumerate(chunked(found, PAGE_SIZE), start=1)
    ]


def _keep(run_id: int, pages: list[RevertPage]) -> None:
    """Instead of those that were kept."""
    with transaction() as session:
        count_changed(session, delete(RevertPage).where(RevertPage.run_id == run_id))
        session.add_all(pages)
        session.flush()


def _to_json(revert: AssetRevert) -> dict[str, Any]:
    """Quicker than `asdict`, which copies all that is in it."""
    return {name: getattr(revert, name) for name in _FIELDS}


def _from_json(record: dict[str, Any]) -> AssetRevert:
    changes = {column: tuple(both) for column, both in record["changes"].items()}
    return AssetRevert(**record | {"action": RevertAction(record["action"]), "changes": changes})
