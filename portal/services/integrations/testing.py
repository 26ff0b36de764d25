"""Testing a connection step by step, and what a passed test makes of the integration."""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from portal import queue
from portal.clock import utc_now
from portal.db import db, release, transaction
from portal.errors import NotFound, PortalError, Refused
from portal.models import ConnectionTest, Integration, OrganizationMapping, SyncRun
from portal.models.integrations.integration import IntegrationState
from portal.models.runs.sync_run import SyncKind
from portal.scope import get_tenant_id
from portal.services import leases
from portal.services.audit.actions import Action
from portal.services.audit.record import record
from portal.services.integrations.current import (
    check_active,
    get_integration,
    open_tactical,
)
from portal.services.integrations.facts import target_of
from portal.services.integrations.identity import (
    ServerFingerprint,
    load_stored_fingerprint,
    looks_like_another,
)
from portal.services.integrations.schedules import ensure_schedules
from portal.services.integrations.server_health import clear
from portal.services.integrations.shared_sign_in import identify_connection
from portal.services.leases import LeaseLost
from portal.services.runs.requests import enqueue_run, find_or_add_run
from portal.sync.devices.left_out import replace_left_out
from portal.tactical.probe.probe import ProbeResult, Step, probe
from portal.vault import forget_secrets

log = logging.getLogger(__name__)

KEPT_TESTS = 20

CHANGED_MEANWHILE = "The connection settings changed during the test. Run the test again."
LOST_AFTER = timedelta(minutes=5)
"""Longer than any test takes, its waiting for a worker included."""

DIFFERENT_SERVER = "different_server"
DIFFERENT_SERVER_MESSAGE = (
    "This server answers, but it has none of the organizations and agents that the portal knows. "
    "Nothing syncs until you confirm whether it is the same server, moved, or a new one."
)


def request_test() -> ConnectionTest:
    """A test that a worker will run; one that waits already, which tests what is saved by then.

    Raises NotFound or Refused when nothing is saved.
    """
    test = _add_test()
    queue.enqueue("test_connection", test.tenant_id, test.id)
    return test


def test_now() -> ConnectionTest:
    """Run a test in this process. For commands."""
    test = _add_test()
    _run_unbegun(test.id)
    return get_test(test.id)


def run_queued(test_id: int) -> None:
    """Run the test if nobody has begun it. After the first good one organizations come by
    themselves."""
    _run_unbegun(test_id, imports=True)


def _run_unbegun(test_id: int, *, imports: bool = False) -> None:
    lease = leases.claim(ConnectionTest, test_id)
    if lease is None:
        return
    with suppress(LeaseLost), leases.keep(ConnectionTest, test_id, lease):
        _run(test_id, lease, imports=imports)


def _run(test_id: int, lease: str, *, imports: bool) -> None:
    """Raises LeaseLost, having changed nothing, when another process took the test over."""
    first_import = None
    integration = get_integration()
    tested = identify_connection(integration)
    result = _probe(integration, test_id, lease)
    stored = load_stored_fingerprint(integration)
    with transaction() as session:
        test = leases.get_own(session, ConnectionTest, test_id, lease)
        integration = get_integration()
        if identify_connection(integration) != tested:
            result = ProbeResult.failed(Refused(CHANGED_MEANWHILE), result.steps)
        else:
            forget_secrets(session, integration, "totp_code")
        if result.ok:
            _conclude_passed(session, integration, result, stored)
            first_import = _add_first_import(session, integration) if imports else None
        _write_result(test, integration, result)
        _prune(session, integration)
    if first_import is not None:
        enqueue_run(first_import)


def _add_first_import(session: Session, integration: Integration) -> SyncRun | None:
    """Of organizations, where none is known yet."""
    is_active = integration.state is IntegrationState.ACTIVE
    if not is_active or session.scalar(select(OrganizationMapping.id).limit(1)) is not None:
        return None
    run, is_new = find_or_add_run(session, SyncKind.ORGANIZATIONS, "schedule")
    return run if is_new else None


def get_test(test_id: int) -> ConnectionTest:
    test = db.session.scalar(
        select(ConnectionTest)
        .where(ConnectionTest.id == test_id)
        .execution_options(populate_existing=True)
    )
    if test is None:
        raise NotFound("This connection test no longer exists. Start a new one.")
    return test


def find_last_test(integration: Integration) -> ConnectionTest | None:
    return db.session.scalar(
        select(ConnectionTest)
        .where(ConnectionTest.integration_id == integration.id)
        .order_by(ConnectionTest.id.desc())
        .limit(1)
    )


def free_lost_tests() -> None:
    """Let another worker begin the tests whose worker died; end those that nobody came for."""
    leases.free_lost(
        ConnectionTest,
        ConnectionTest.created_at < utc_now() - LOST_AFTER,
        "The test was interrupted. Run it again.",
    )


def _add_test() -> ConnectionTest:
    with transaction() as session:
        integration = get_integration()
        if integration.state is IntegrationState.DISCONNECTED:
            check_active(integration)
        waiting = session.scalar(
            select(ConnectionTest)
            .where(ConnectionTest.integration_id == integration.id, leases.waits(ConnectionTest))
            .limit(1)
        )
        if waiting is not None:
            return waiting
        test = ConnectionTest(integration_id=integration.id, steps=[])
        session.add(test)
        record(Action.CONNECTION_TESTED, target_of(integration))
    return test


def _probe(integration: Integration, test_id: int, lease: str) -> ProbeResult:
    """The probe's result; a fault of ours is a failed test too, never an endless one."""
    steps: dict[str, dict[str, Any]] = {}

    def show(step: Step) -> None:
        steps[step.name] = asdict(step)
        with transaction() as session:
            test = leases.get_own(session, ConnectionTest, test_id, lease)
            test.steps = list(steps.values())

    try:
        with open_tactical(integration, interactive=True) as tactical:
            release()
            return probe(tactical, show, integration.inventory_source)
    except LeaseLost:
        raise
    except PortalError as error:
        return ProbeResult.failed(error)
    except Exception:
        log.exception("Connection test %s of tenant %s failed.", test_id, get_tenant_id())
        return ProbeResult.failed(
            PortalError("The portal ran into an internal error. Its log has the details.")
        )


def _conclude_passed(
    session: Session, integration: Integration, result: ProbeResult, stored: ServerFingerprint
) -> None:
    """An integration is active only after a test that read real data from a known server."""
    integration.beta_api = result.beta_api
    integration.key_restricted = result.restricted
    integration.server_version = result.server_version
    integration.tested_at = utc_now()
    integration.found_organizations = len(result.organizations)
    integration.found_agents = len(result.agent_ids)
    integration.found_alerts = result.alerts
    replace_left_out(session, integration.id, result.broken_sites)
    listed = ServerFingerprint(
        result.agent_ids, {(str(pk), name) for pk, name in result.organizations}
    )
    if not integration.server_verified and looks_like_another(stored, listed):
        integration.state = IntegrationState.HELD
        return
    integration.server_verified = True
    integration.state = IntegrationState.ACTIVE
    clear(integration)
    ensure_schedules(session, integration)


def _write_result(test: ConnectionTest, integration: Integration, result: ProbeResult) -> None:
    held = result.ok and integration.state is IntegrationState.HELD
    test.ok = result.ok and not held
    test.fault = DIFFERENT_SERVER if held else result.fault
    test.field = "base_url" if held else result.field
    test.message = DIFFERENT_SERVER_MESSAGE if held else result.message
    test.finished_at, test.lease = utc_now(), None
    if not result.ok:
        integration.last_error, integration.last_error_at = result.message, utc_now()


def _prune(session: Session, integration: Integration) -> None:
    kept = (
        select(ConnectionTest.id)
        .where(ConnectionTest.integration_id == integration.id)
        .order_by(ConnectionTest.id.desc())
        .limit(KEPT_TESTS)
    )
    session.execute(
        delete(ConnectionTest)
        .where(ConnectionTest.integration_id == integration.id, ConnectionTest.id.not_in(kept))
        .execution_options(synchronize_session=False)
    )
