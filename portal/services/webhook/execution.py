"""One action in Tactical for the webhook: install, remove or test, step by step in its row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import msgspec
from sqlalchemy import select

from portal.clock import utc_now
from portal.db import db, release, transaction
from portal.errors import PortalError
from portal.models import Integration, Tenant, WebhookInstallation
from portal.models.webhook.installation import InstallationAction
from portal.scope import get_tenant_id
from portal.services.integrations.current import get_active_integration, open_tactical
from portal.services.leases import get_own
from portal.services.webhook.apply import Applier
from portal.services.webhook.keys import reveal
from portal.services.webhook.plan import PlannedChange, Verb
from portal.services.webhook.records import Made, Wanted, WebhookTexts
from portal.services.webhook.survey import survey
from portal.services.webhook.testing import send_test
from portal.tactical.installation import TacticalInstallation

STEP_TITLES = {
    Verb.CREATE: "Create: {}",
    Verb.UPDATE: "Update: {}",
    Verb.KEEP: "Unchanged: {}",
    Verb.CHOOSE: "Use the alert template for: {}",
    Verb.RESTORE: "Restore: {}",
    Verb.REMOVE: "Remove: {}",
    Verb.LEAVE: "Leave alone: {}",
}
TEST_TITLE = "Tactical sends a test call"


@dataclass(slots=True)
class InstallationStep:
    """`state`: waiting, running, ok, note, failed, skipped."""

    title: str
    state: str = "waiting"
    message: str = ""


class LackingPermissions(PortalError):
    """The role of the key may not do all of it, so nothing was done."""

    fault = "missing_permission"

    def __init__(self, flags: Sequence[str]) -> None:
        super().__init__(
            "Nothing was changed, because the role of the portal's user in Tactical lacks "
            f"{', '.join(flags)}. Switch these permissions on, or set the webhook up by hand."
        )
        self.flags = list(flags)


class TestNotArrived(PortalError):
    """All is installed, but Tactical does not reach the portal."""

    fault = "test_not_arrived"


class InstallationRun:
    """One action, whose steps its row shows as they are done."""

    def __init__(self, row_id: int, lease: str) -> None:
        row = get_row(row_id)
        self._row_id, self._lease = row_id, lease
        self._action = row.action
        self._made = read_made(row)
        wanted = read_wanted(row)
        assert wanted is not None
        self._wanted = wanted
        self._steps: list[InstallationStep] = []

    def run(self) -> None:
        integration = get_active_integration()
        texts = get_texts()
        with open_tactical(integration) as tactical:
            changed = 0
            if self._action is not InstallationAction.TEST:
                changed = self._apply(tactical.installation, texts)
            if self._action is InstallationAction.REMOVE:
                self._finish("Removed. Tactical is as it was before.")
                return
            outcome = self._send_test(tactical.installation, integration, texts)
        done = "Installed. " if changed else "Nothing changed. "
        self._finish(outcome if self._action is InstallationAction.TEST else done + outcome)

    def fail(self, error: PortalError) -> None:
        for step in self._steps:
            if step.state == "running":
                step.state, step.message = "failed", error.message
            elif step.state == "waiting":
                step.state = "skipped"
        flags = error.flags if isinstance(error, LackingPermissions) else []
        permission = getattr(error, "permission", None)
        self._save(
            ok=False,
            fault=getattr(error, "fault", "failed"),
            missing=flags or ([permission] if permission else []),
            message=error.message,
            finished_at=utc_now(),
            lease=None,
        )

    def _apply(self, tactical: TacticalInstallation, texts: WebhookTexts) -> int:
        """How many changes were made. Raises LackingPermissions before the first."""
        release()
        plan = survey(tactical, self._action, self._wanted, texts, self._made)
        if plan.lacking:
            raise LackingPermissions(plan.lacking)
        self._steps = [_step(change) for change in plan.changes]
        if self._action is InstallationAction.INSTALL:
            self._steps.append(InstallationStep(TEST_TITLE))
        applier = Applier(tactical, self._made, lambda made: self._save(made=to_row(made)))
        for change, step in zip(plan.changes, self._steps, strict=False):
            step.state = "running"
            self._save()
            applier.apply(change)
            step.state = "ok"
        return len(plan.writes)

    def _send_test(
        self, tactical: TacticalInstallation, integration: Integration, texts: WebhookTexts
    ) -> str:
        """What came of the test. Raises TestNotArrived."""
        if self._action is InstallationAction.TEST:
            self._steps = [InstallationStep(TEST_TITLE)]
        step = self._steps[-1]
        step.state = "running"
        self._save()
        test = send_test(tactical, integration, self._wanted.url, texts.secret, self._made)
        if test.delivery_id is None:
            raise TestNotArrived(test.message)
        step.state, step.message = "ok", ""
        self._save(test_delivery_id=test.delivery_id)
        return test.message

    def _finish(self, message: str) -> None:
        self._save(ok=True, message=message, finished_at=utc_now(), lease=None)

    def _save(self, **facts: Any) -> None:
        """Raises LeaseLost: another process does the action by now."""
        with transaction() as session:
            row = get_own(session, WebhookInstallation, self._row_id, self._lease)
            row.steps = [asdict(step) for step in self._steps]
            for name, value in facts.items():
                setattr(row, name, value)


def _step(change: PlannedChange) -> InstallationStep:
    return InstallationStep(STEP_TITLES[change.verb].format(change.title), message=change.detail)


def read_made(row: WebhookInstallation | None) -> Made:
    return msgspec.convert(row.made if row else {}, Made, strict=False)


def read_wanted(row: WebhookInstallation | None) -> Wanted | None:
    return msgspec.convert(row.wanted, Wanted, strict=False) if row and row.wanted else None


def to_row(made: Made) -> dict[str, Any]:
    """JSON has text keys only."""
    plain: dict[str, Any] = msgspec.to_builtins(made, str_keys=True)
    return plain


def get_texts() -> WebhookTexts:
    slug = db.session.scalar(select(Tenant.slug).where(Tenant.id == get_tenant_id()))
    assert slug is not None
    return WebhookTexts(slug=slug, secret=reveal())


def get_row(row_id: int) -> WebhookInstallation:
    return db.session.scalars(
        select(WebhookInstallation)
        .where(WebhookInstallation.id == row_id)
        .execution_options(populate_existing=True)
    ).one()
