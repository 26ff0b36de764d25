"""The connection test: one step after the other, each with its own word for what is wrong."""

from __future__ import annotations

import time
from collections.abc import Callable
from urllib.parse import quote, urlsplit

from portal.egress import Answer, EgressError, Timeout
from portal.tactical.agents.fleet import DashboardFleet
from portal.tactical.agents.source import (
    AUTO,
    BETA,
    BETA_OFF,
    RESTRICTED,
    BetaUnlimited,
    is_restricted,
)
from portal.tactical.api import Inventory, Tactical
from portal.tactical.errors import (
    BetaOff,
    DashboardHost,
    NotFoundInTactical,
    NotTactical,
    TacticalError,
    WebPage,
)
from portal.tactical.http.answers import check_answer
from portal.tactical.probe.result import (
    FAILED,
    NOTE,
    OK,
    RUNNING,
    SKIPPED,
    STEP_TITLES,
    ProbeResult,
    Show,
    Step,
    StepOutcome,
)
from portal.tactical.reading.decoding import decode_json
from portal.tactical.reading.listings import BrokenSite
from portal.tactical.reading.rows import read_presence
from portal.tactical.records import only_good
from portal.wording import plural

__all__ = ["ProbeResult", "Show", "Step", "probe"]

NO_SUCH_AGENT = "x" * 40
MOST_SECONDS = 120.0
"""Seconds for all steps; the last one begun may take as long as one request may."""

# What the root of a server that is not Tactical's may answer, beside anything but JSON.
_FOREIGN = frozenset(
    {"not_found", "unexpected_answer", "wrong_key", "missing_permission", "request_refused"}
)


def probe(tactical: Tactical, show: Show, setting: str = AUTO) -> ProbeResult:
    """Test everything that the portal needs, passing each step to `show` as it goes.

    `setting` is the inventory source that syncs will be asked to read. Stops at the first step
    that fails. Never raises for what the network or Tactical does.
    """
    return _Probe(tactical, show, setting).run()


class _Probe:
    def __init__(self, tactical: Tactical, show: Show, setting: str) -> None:
        self._tactical = tactical
        self._show = show
        self._setting = setting
        self._until = time.monotonic() + MOST_SECONDS
        self._steps: dict[str, Step] = {}
        self._dashboard = Inventory((), ())
        self._agent_ids: frozenset[str] = frozenset()
        self._broken: tuple[BrokenSite, ...] = ()
        self._beta_api: bool | None = None
        self._restricted: bool | None = None
        self._version: str | None = None
        self._alerts: int | None = None

    def run(self) -> ProbeResult:
        try:
            answer = self._reach()
            self._step("api_host", lambda: _check_root(answer))
            for name, check in (
                ("credentials", self._check_credentials),
                ("clients", self._check_clients),
                ("sites", self._check_sites),
                ("agents", self._check_agents),
                ("alerts", self._check_alerts),
                ("software", self._check_software),
                ("beta", self._check_beta),
                ("version", self._check_version),
            ):
                self._step(name, check)
        except (TacticalError, EgressError) as error:
            return ProbeResult.failed(error, tuple(self._steps.values()))
        return self._conclude()

    def _conclude(self) -> ProbeResult:
        organizations = only_good(self._dashboard.organizations)
        found = f"{len(organizations)} organizations and {len(self._agent_ids)} agents"
        message = f"Everything works: {found} can be read."
        if self._broken:
            names = ", ".join(f"{site.name} ({site.organization})" for site in self._broken)
            message = (
                f"The connection works, and there are {found}, but Tactical cannot list the "
                f"agents of every site. Until it can, the portal leaves out these sites: {names}."
            )
        return ProbeResult(
            ok=True,
            message=message,
            steps=tuple(self._steps.values()),
            beta_api=self._beta_api,
            restricted=self._restricted,
            server_version=self._version,
            organizations=tuple((o.pk, o.name) for o in organizations),
            agent_ids=self._agent_ids,
            alerts=self._alerts,
            broken_sites=self._broken,
        )

    # --- Steps --------------------------------------------------------------------------

    def _step(self, name: str, check: Callable[[], StepOutcome]) -> None:
        self._report(name, RUNNING)
        try:
            if time.monotonic() > self._until:
                host = urlsplit(self._tactical.session.base_url).hostname or ""
                raise Timeout(host, f"The whole test took longer than {MOST_SECONDS:.0f} seconds.")
            state, message = check()
        except (TacticalError, EgressError) as error:
            self._fail(name, error)
            raise
        self._report(name, state, message)

    def _report(self, name: str, state: str, message: str = "") -> None:
        self._put(Step(name, STEP_TITLES[name], state, message))

    def _fail(self, name: str, error: TacticalError | EgressError) -> None:
        self._put(Step(name, STEP_TITLES[name], FAILED, error.message, error.fault, error.field))

    def _put(self, step: Step) -> None:
        self._steps[step.name] = step
        self._show(step)

    def _reach(self) -> Answer:
        """The first request shows two things at once: is the address right, and is TLS."""
        self._report("address", RUNNING)
        try:
            answer = self._tactical.session.get_root()
        except EgressError as error:
            if error.fault == "bad_certificate":
                self._report("address", OK)
                self._fail("tls", error)
            else:
                self._fail("address", error)
            raise
        self._report("address", OK)
        if urlsplit(self._tactical.session.base_url).scheme == "http":
            self._report(
                "tls",
                SKIPPED,
                "Not encrypted: the address is in a network that the operator allowed.",
            )
        else:
            self._report("tls", OK)
        return answer

    def _check_credentials(self) -> StepOutcome:
        self._tactical.keep_alive()
        return OK, ""

    def _check_clients(self) -> StepOutcome:
        try:
            self._dashboard = self._tactical.get_dashboard_inventory()
        except NotFoundInTactical as error:
            raise NotTactical("It lists no clients.") from error
        return OK, ""

    def _check_sites(self) -> StepOutcome:
        self._tactical.check_site_permission()
        return OK, ""

    def _check_agents(self) -> StepOutcome:
        """Which ones there are, and whether Tactical can list them as the syncs will ask."""
        self._agent_ids = frozenset(self._tactical.list_agent_pks())
        if not self._agent_ids:
            return NOTE, "There is no agent yet that these credentials may see."
        fleet = DashboardFleet(self._tactical)
        try:
            for _agent in fleet.stream(read_presence):
                pass
        except Timeout:
            return NOTE, "Tactical takes long to list all agents. Syncs wait longer than this test."
        self._broken = tuple(fleet.broken)
        problems = " ".join(site.describe() for site in self._broken)
        return (NOTE, problems) if problems else (OK, "")

    def _check_alerts(self) -> StepOutcome:
        """The oldest alert, to those who may list alerts, with the number of those on Tactical's
        dashboard: what it hides there is counted nowhere."""
        found = self._tactical.session.fetch(
            decode_json, "/alerts/", method="PATCH", json={"top": 1}
        )
        count = found.get("alerts_count") if isinstance(found, dict) else None
        self._alerts = count if isinstance(count, int) and count >= 0 else None
        return (
            OK,
            f"{plural(self._alerts, 'alert')} on Tactical's dashboard" if self._alerts else "",
        )

    def _check_software(self) -> StepOutcome:
        """One agent's list: the whole one is 35 KB an agent. The permission is checked first."""
        agent_id = min(self._agent_ids, default=NO_SUCH_AGENT)
        try:
            self._tactical.session.fetch(decode_json, f"/software/{quote(agent_id, safe='')}/")
        except NotFoundInTactical as error:
            if error.is_html and self._agent_ids:
                raise
        return OK, ""

    def _check_beta(self) -> StepOutcome:
        """Off is a note; on, it shows whether the credentials are limited to some clients.

        Either is a failure where the syncs are to read nothing but the beta API.
        """
        try:
            beta = self._tactical.get_beta_inventory()
        except BetaOff:
            if self._setting == BETA:
                raise
            self._beta_api = False
            return NOTE, BETA_OFF
        self._beta_api = True
        # Listed anew, after the other: what is created meanwhile is then no sign of a limit.
        dashboard = self._tactical.get_dashboard_inventory()
        self._restricted = is_restricted(self._tactical, dashboard, beta)
        if self._restricted and self._setting == BETA:
            raise BetaUnlimited
        return (NOTE, RESTRICTED) if self._restricted else (OK, "")

    def _check_version(self) -> StepOutcome:
        """Asking makes the server look for updates on the internet, which may take seconds."""
        try:
            self._version = self._tactical.get_version()
        except (TacticalError, EgressError):
            self._version = None
        if self._version is None:
            return NOTE, "Tactical did not report its version."
        return OK, f"Tactical RMM {self._version}"


def _check_root(answer: Answer) -> StepOutcome:
    """`{"status": "ok"}` stands at the root of the API host, for everyone."""
    try:
        check_answer(answer, "api_key", None)
        found = decode_json(answer.body)
    except WebPage as error:
        raise (DashboardHost if answer.status == 200 else NotTactical) from error
    except TacticalError as error:
        if error.fault in _FOREIGN:
            raise NotTactical from error
        raise
    if not isinstance(found, dict) or found.get("status") != "ok":
        raise NotTactical
    return OK, ""
