from __future__ import annotations

import re
from pathlib import Path

from portal.models.runs.sync_run import COUNT_NAMES, SyncKind

ROOT = Path(__file__).parents[1]
VARIABLE = r"\b(?:PORTAL_[A-Z_]+|DATABASE_URL|REDIS_URL)\b"


def test_every_setting_is_documented_and_no_other() -> None:
    read = set(re.findall(rf'"({VARIABLE})"', (ROOT / "portal/config.py").read_text()))
    text = (ROOT / "docs/configuration.md").read_text()
    documented = set(re.findall(rf"^\| `({VARIABLE})` \|", text, re.MULTILINE))
    assert documented == read


def test_links_between_the_documents_lead_somewhere() -> None:
    top = [ROOT / name for name in ("README.md", "CHANGELOG.md", "SECURITY.md")]
    for page in [*top, *(ROOT / "docs").glob("**/*.md")]:
        for target in re.findall(r"\]\(([^)#\s]+)", page.read_text()):
            if not target.startswith("http"):
                assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_events_of_a_run_are_documented_with_every_kind_and_count() -> None:
    text = (ROOT / "docs/events.md").read_text()
    for key, names in (("kind", [str(kind) for kind in SyncKind]), ("counts", COUNT_NAMES)):
        [row] = re.findall(rf"^\| `{key}` \| (.*) \|$", text, re.MULTILINE)
        assert set(re.findall(r"`(\w+)`", row)) == set(names)


def test_each_claim_of_security_names_tests_that_exist() -> None:
    text = (ROOT / "docs/security.md").read_text()
    tables = re.findall(r"^\| claim \| shown by \|\n\|.*\n((?:\|.*\n)+)", text, re.MULTILINE)
    rows = "".join(tables).splitlines()
    assert len(rows) > 50
    for row in rows:
        named = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", row)
        assert named, row
        assert row.count("::") == len(named), row
        for path, function in named:
            assert f"\ndef {function}(" in (ROOT / path).read_text(), f"{path}::{function}"
