"""Alerts from the command line: acknowledged, and told the story of."""

from __future__ import annotations

from tactical_simulator import SimulatedTactical
from tests.cli.conftest import TENANT, Portal


def test_an_alert_is_acknowledged_and_tells_its_story(
    mapped: Portal, tactical: SimulatedTactical
) -> None:
    mapped("sync", "devices", *TENANT)
    pk = tactical.control.alerts.trigger(tactical.control.agents.ids()[0], "check")
    mapped("sync", "alerts", *TENANT)
    rows = mapped("export", "alerts", "--tenant", "acme").data
    alert = next(row["alert_id"] for row in rows if row["external_alert_id"] == str(pk))

    said = mapped("alerts", "ack", alert, "--note", "On my way", *TENANT)
    who = said.data["acknowledged_by"]
    assert said.data == {
        "ok": True,
        "id": int(alert),
        "acknowledged_by": who,
        "note": "On my way",
    }
    assert who.endswith(" (command line)")
    again = mapped("alerts", "ack", alert, *TENANT)
    assert (again.exit_code, again.data["message"]) == (
        1,
        f"The alert is acknowledged already, by {who}.",
    )
    rows = mapped("export", "alerts", "--tenant", "acme").data
    [row] = [row for row in rows if row["alert_id"] == alert]
    assert (row["acknowledged_by"], row["rule"], row["window"]) == (who, None, None)

    snoozed = mapped("alerts", "snooze", alert, "--until", "2000-01-01", *TENANT)
    assert (snoozed.exit_code, "not into the past" in snoozed.data["message"]) == (1, True)
    assert mapped("alerts", "snooze", alert, *TENANT).exit_code != 0
    snoozed = mapped("alerts", "snooze", alert, "--for", "4", *TENANT)
    rows = mapped("export", "alerts", "--tenant", "acme").data
    [row] = [row for row in rows if row["alert_id"] == alert]
    until = snoozed.data["snoozed_until"]
    assert (row["status"], row["snoozed_until"], row["snoozed_by"]) == ("snoozed", until, who)
    assert mapped("alerts", "unsnooze", alert, *TENANT).data["ok"]
    assert mapped("alerts", "unsnooze", alert, *TENANT).exit_code == 1

    story = mapped("alerts", "timeline", alert, *TENANT).data
    assert story["answer"].startswith("Nobody was told")
    assert story["answer"].split(" on ")[0].endswith(f"Acknowledged by {who}")
    kinds = [entry["kind"] for entry in story["entries"]]
    assert (kinds[0], kinds[-3:]) == ("received", ["acknowledged", "snoozed", "snoozed"])
    text = mapped("alerts", "timeline", alert, "--tenant", "acme").out
    assert text.startswith(story["answer"])
    assert f"Acknowledged by {who}: On my way\n" in text
    gone = mapped("alerts", "timeline", "4711", *TENANT)
    assert gone.data["message"] == "This alert does not exist."
