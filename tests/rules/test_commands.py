"""Rules from the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import TENANT, Portal, acme, folder, portal

__all__ = ["acme", "folder", "portal"]
pytestmark = pytest.mark.one_database

FILE = """
rules:
  - {name: Noise, switched_on: true, conditions: {severities: [info]}, steps: {ignore: Noise}}
  - {name: Later, conditions: {lasting_minutes: 5}, steps: {ignore: Later}}
"""


def test_rules_are_taken_over_listed_tried_and_printed(acme: Portal, tmp_path: Path) -> None:
    people = TENANT[:-1]
    assert "nobody is told of alerts" in acme("rules", *people).out
    file = tmp_path / "rules.yaml"
    file.write_text(FILE)
    looked = acme("rules", "import", str(file), "--dry-run", *TENANT).data
    assert looked["dry_run"] is True
    assert [each["action"] for each in looked["changes"]] == ["added", "added"]
    assert acme("rules", "list", *TENANT).data["rules"] == []
    assert acme("rules", "import", str(file), *people).out.splitlines() == [
        "added  rule  Noise  on",
        "added  rule  Later  off",
    ]
    listed = acme("rules", "list", *TENANT).data["rules"]
    assert [(each["name"], each["on"], each["position"]) for each in listed] == [
        *(("Noise", True, 1), ("Later", False, 2)),
    ]
    assert listed[1]["conditions_in_words"] == ["lasting at least 5 minutes"]
    assert "ignore: Noise" in acme("rules", *people).out
    tried = acme("rules", "try", "--days", "7", *TENANT).data
    assert (tried["days"], tried["alerts"], tried["no_rule"]) == (7, 0, 0)
    assert [(each["name"], each["matched"]) for each in tried["rules"]] == [("Noise", 0)]
    assert "No rule matched 0 alerts" in acme("rules", "try", *people).out
    assert "name: Noise" in acme("rules", "export", *people).out
    file.write_text("rules: [{name: A, steps: {notify: [Nobody]}}]")
    refused = acme("rules", "import", str(file), *TENANT)
    assert refused.exit_code == 1
    assert "there is no “Nobody”" in refused.data["message"]
