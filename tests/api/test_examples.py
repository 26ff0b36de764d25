"""The examples of docs/api.md, run as they stand against a portal that listens."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.api.conftest import Reader
from tests.support.skips import skip_or_fail

pytestmark = [pytest.mark.one_database, pytest.mark.servers]

TEXT = (Path(__file__).parents[2] / "docs" / "api.md").read_text()
EXAMPLES = re.findall(r"^```(sh|python)\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)


def test_the_examples_work(live_portal: str, reader: Reader, tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        skip_or_fail("PORTAL_REQUIRE_CURL", "There is no curl here.")
    environ = {"PORTAL": live_portal, "TOKEN": reader.token, "PATH": os.environ["PATH"]}
    seen = []
    for kind, code in EXAMPLES:
        words = [sys.executable, "-"] if kind == "python" else ["sh", "-eu"]
        ran = subprocess.run(
            words, input=code, env=environ, cwd=tmp_path, capture_output=True, text=True, timeout=30
        )
        assert ran.returncode == 0, ran.stderr
        seen.append(ran.stdout)

    first, everything, etags = seen
    assert json.loads(first) == {"items": [], "next": None}  # none is overdue
    assert everything.startswith("Acme Client\tacme-pc\tonline\thttp://")
    assert json.loads((tmp_path / "assets.json").read_text())["items"][0]["name"] == "acme-pc"
    assert etags == "304\n"
