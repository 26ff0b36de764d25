"""Writing nothing but a plan: the preview."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from portal.chunks import chunked
from portal.db import transaction
from portal.models.runs.sync_plan import PlanOrigin
from portal.models.runs.sync_run import RunStatus
from portal.sync.devices.arrivals.strangers import Stranger
from portal.sync.devices.plan import Decision
from portal.sync.devices.plan_rows import to_rows
from portal.sync.devices.writers.base import (
    AGENTS_AT_ONCE,
    Ending,
    missing_rows,
    plan_identified,
)
from portal.sync.runs.log import RunLog
from portal.sync.runs.plans import add_plan, add_rows, open_plan
from portal.tactical.api import AgentPage


@dataclass
class PlanWriter:
    integration_id: int
    run_log: RunLog
    _plan_id: int = 0

    def write_page(
        self,
        session: Session,
        page: AgentPage,
        decisions: list[Decision],
        strangers: Sequence[Stranger],  # noqa: ARG002  a plan notes nobody
    ) -> None:
        self._begin(session)
        self.run_log.record(session, Counter(seen=len(page.agents)), [], page.total)
        add_rows(session, self._plan_id, to_rows(decisions))

    def write_end(self, ending: Ending) -> None:
        with transaction() as session:
            self._begin(session)
            for some in chunked(ending.identified, AGENTS_AT_ONCE):
                decisions = plan_identified(session, self.integration_id, some)
                add_rows(session, self._plan_id, to_rows(decisions))
            if ending.listed:  # an empty listing is no evidence
                add_rows(session, self._plan_id, missing_rows(ending.absence))
            open_plan(session, self._plan_id)
        self.run_log.end_as(RunStatus.PLANNED)

    def _begin(self, session: Session) -> None:
        if not self._plan_id:
            run_id = self.run_log.run_id
            self._plan_id = add_plan(session, self.integration_id, run_id, PlanOrigin.PREVIEW).id
