"""What the portal and the people in front of it do, and what must hold after it."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from portal.clock import iso_utc, utc_now
from portal.models import SyncRun
from portal.models.runs.sync_plan import APPLICABLE
from portal.models.runs.sync_run import RunStatus, SyncKind
from portal.services.organizations import many, mapping
from portal.services.runs.plans import apply_to_end, find_plan_of_run, list_all_rows
from portal.sync.devices.writers.chosen import APPLIED
from tests.stateful.checks import check_covered, check_kept, check_not_merged, check_repeat
from tests.stateful.tables import OF_RUNS, differences, dump
from tests.stateful.tactical_rules import PAUSES, SIX_MINUTES, TacticalRules, numbers
from tests.stateful.world import FLEET, pick

AGENT_LISTS = ("/beta/v1/agent/", "/agents/")


class PortalRules(TacticalRules):
    def sync_and_check(self) -> SyncRun:
        before = dump(self.world.msp.id)
        run = self.world.sync()
        check_kept(before, dump(self.world.msp.id))
        check_covered(self.world, run)
        check_not_merged(self.world)
        check_repeat(self.world)
        self._note_decided()
        return run

    def _note_decided(self) -> None:
        """Of clones: whether the portal has by now what tells them from re-installations."""
        assets = self.world.msp.assets()
        for agent_id, clone in list(self.clones.items()):
            original = assets.get(clone.original)
            if agent_id in assets and not clone.listed_at:
                clone.listed_at = iso_utc(utc_now())
            elif (
                original and clone.listed_at and (original["last_seen_at"] or "") > clone.listed_at
            ):
                del self.clones[agent_id]

    @rule()
    def sync(self) -> None:
        self.sync_and_check()

    @rule(seconds=st.sampled_from(PAUSES))
    def sync_later(self, seconds: int) -> None:
        self.world.pass_time(seconds)
        self.sync_and_check()

    @precondition(TacticalRules.has_room)
    @rule(number=numbers, hardware=st.booleans())
    def reinstall_and_look_twice(self, number: int, hardware: bool) -> None:
        """What happens most: its old agent goes offline between two looks."""
        if agent_id := self.pick(number):
            self.computers.reinstall(agent_id, hardware=hardware)
            self.sync_and_check()
            self.sync_later(SIX_MINUTES)

    @precondition(TacticalRules.has_room)
    @rule(number=numbers)
    def clone_and_look_twice(self, number: int) -> None:
        self.clone(number, hardware=True)
        self.sync_and_check()
        self.sync_later(SIX_MINUTES)

    @rule(size=st.sampled_from([1, 4, 1000]))
    def half_listing(self, size: int) -> None:
        """Rows are left out: all that is missing of them stays as it is."""
        before = dump(self.world.msp.id)
        for path in AGENT_LISTS:
            self.world.control.faults.add("fewer_rows", path, size=size, times=None)
        self.world.sync()
        self.world.control.faults.clear()
        after = dump(self.world.msp.id)
        check_kept(before, after)
        check_not_merged(self.world)
        listed = set(self.agents.ids())
        for key, row in before["assets"].items():
            if row["missing_since"] is None and row["rmm_device_id"] in listed:
                assert after["assets"][key]["missing_since"] is None, row

    @rule()
    def sweep(self) -> None:
        before = dump(self.world.msp.id)
        self.world.sync(SyncKind.STATUS)
        check_kept(before, dump(self.world.msp.id))
        check_not_merged(self.world)

    @rule()
    def read_software(self) -> None:
        before = dump(self.world.msp.id)
        self.world.sync(SyncKind.SOFTWARE)
        check_kept(before, dump(self.world.msp.id))

    @rule(number=numbers)
    def refresh(self, number: int) -> None:
        if self.agents.ids():
            self.world.sync(SyncKind.AGENT, self.world.pick_agent(number))
            check_not_merged(self.world)

    @rule(number=numbers, only_one=st.booleans())
    def preview_and_apply(self, number: int, only_one: bool) -> None:
        plan_id = self._preview()
        rows = [row for row in list_all_rows(plan_id) if row.action in APPLICABLE]
        if not rows:
            return
        before = dump(self.world.msp.id)
        chosen = [pick(number, rows).agent_id] if only_one else None
        with self.world.noting_exports():
            run = apply_to_end(plan_id, chosen)
        assert run.status is RunStatus.SUCCESS, run.error
        told = [
            (row.action, row.agent_id, row.outcome) for row in list_all_rows(plan_id) if row.chosen
        ]
        assert {outcome for _action, _agent_id, outcome in told} == {APPLIED}, told
        check_kept(before, dump(self.world.msp.id))
        check_not_merged(self.world)

    def _preview(self) -> int:
        """It writes its plan and nothing else."""
        before = dump(self.world.msp.id, OF_RUNS, looks=True)
        run = self.world.msp.sync(SyncKind.PREVIEW)
        assert run.status is RunStatus.PLANNED
        assert differences(before, dump(self.world.msp.id, OF_RUNS, looks=True)) == []
        plan = find_plan_of_run(run.id)
        assert plan is not None
        return plan.id

    @rule(number=numbers, client=numbers)
    def map_organization(self, number: int, client: int) -> None:
        before = dump(self.world.msp.id)
        mapping_id = self.world.msp.mapping_id(1 + number % FLEET.clients)
        with self.world.noting_exports():
            mapping.map_to_client(mapping_id, pick(client, self.world.client_ids))
        check_kept(before, dump(self.world.msp.id))

    @rule(number=numbers)
    def unmap_organization(self, number: int) -> None:
        with self.world.noting_exports():
            many.unmap_many([self.world.msp.mapping_id(1 + number % FLEET.clients)])

    @rule(number=numbers, on=st.booleans())
    def switch_auto_sync(self, number: int, on: bool) -> None:
        with self.world.noting_exports():
            mapping.set_auto_sync(self.world.msp.mapping_id(1 + number % FLEET.clients), on)
