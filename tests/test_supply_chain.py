"""What the portal is made of: written down whole, and compared with what is known of it."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.output.json import JsonV1Dot6
from werkzeug import Request, Response
from werkzeug.serving import make_server

from scripts import audit, release, sbom

ROOT = Path(__file__).parents[1]


def test_the_document_holds_the_lock_and_the_vendored_files_with_their_hashes() -> None:
    bom: dict[str, Any] = json.loads(JsonV1Dot6(sbom.make_bom()).output_as_string())
    assert (bom["bomFormat"], bom["specVersion"]) == ("CycloneDX", "1.6")
    assert bom["metadata"]["component"]["name"] == "rmm-portal"
    packages = [each for each in bom["components"] if each["purl"].startswith("pkg:pypi/")]
    lock = (ROOT / "requirements.txt").read_text()
    assert {f"{each['name']}=={each['version']}" for each in packages} == set(
        re.findall(r"^[\w.-]+==[\w.]+", lock, re.MULTILINE)
    )
    hashes = {
        one["content"] for each in packages for one in each["externalReferences"][0]["hashes"]
    }
    assert hashes == set(re.findall(r"--hash=sha256:(\w+)", lock))

    files = {
        file["name"]: file["hashes"][0]["content"]
        for each in bom["components"]
        for file in each.get("components", ())
    }
    assert files == {
        f"{Path(path).parent}/{entry['file']}": entry["sha256"]
        for path in sbom.MANIFESTS
        for entry in json.loads((ROOT / path).read_text())
    }
    needs = {each["ref"]: each.get("dependsOn", []) for each in bom["dependencies"]}
    [flask] = [ref for ref in needs if ref.startswith("pkg:pypi/flask@")]
    assert flask in needs["rmm-portal"]
    assert any(ref.startswith("pkg:pypi/jinja2@") for ref in needs[flask])


VULNERABLE = {"id": "TEST-2026-1", "fix_versions": ["2.0"]}


@pytest.mark.parametrize(
    ("found", "code", "words"),
    [
        ({"version": "1.0", "vulns": []}, 0, "No known vulnerabilities in 1 of 1 packages."),
        ({"version": "1.0", "vulns": [VULNERABLE]}, 1, "parcel 1.0: TEST-2026-1, mended in 2.0"),
        ({"skip_reason": "It is not there."}, 3, "parcel was not looked up: It is not there."),
    ],
)
def test_what_is_not_known_is_not_called_clean(
    capsys: pytest.CaptureFixture[str], found: dict[str, Any], code: int, words: str
) -> None:
    assert audit.report([{"name": "parcel", **found}]) == code
    assert words in "".join(capsys.readouterr())


@pytest.mark.servers
def test_a_database_out_of_reach_is_told_of_with_a_code_of_its_own(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @Request.application
    def broken(_request: Request) -> Response:
        return Response(status=503)

    with make_server("127.0.0.1", 0, broken) as server:
        address = f"http://127.0.0.1:{server.server_port}/v1/query"
    lock = tmp_path / "lock.txt"
    lock.write_text(f"parcel==1.0 --hash=sha256:{'0' * 64}\n")
    monkeypatch.setattr(audit, "LOCK", lock)

    assert audit.main(["--vulnerability-service", "osv", "--osv-url", address]) == 3
    said = capsys.readouterr()
    assert "could not be asked, so nothing is known" in said.err
    assert said.out == ""


def test_a_lock_is_released_while_it_is_young(capsys: pytest.CaptureFixture[str]) -> None:
    now = datetime(2026, 11, 28, tzinfo=UTC)
    for days, code in ((0, 0), (90, 0), (91, 1)):
        assert release.say_age(now - timedelta(days=days), now) == code
    assert release.say_age(None, now) == 3
    assert "The lock is 91 days old, of at most 90." in capsys.readouterr().out


@pytest.mark.parametrize(("known", "code"), [(0, 1), (1, 1), (3, 3)])
def test_a_vulnerability_or_an_old_lock_stops_a_release(
    known: int, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "main", lambda _arguments: known)
    monkeypatch.setattr(release, "read_time", lambda _name: datetime(2020, 1, 1, tzinfo=UTC))
    assert release.main() == code
