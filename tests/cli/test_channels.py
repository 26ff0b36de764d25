"""Channels from the command line: listed, and tested with the far side's answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import TENANT, Portal
from tests.support.mail_server import mail_server

pytestmark = pytest.mark.one_database

FILE = """
channels:
  - name: Night shift
    kind: mail
    settings:
      server: 127.0.0.1
      port: "{port}"
      security: none
      sender: portal@acme.example
      to: night@acme.example
"""


def test_a_channel_is_listed_and_sent_a_test(acme: Portal, tmp_path: Path) -> None:
    assert "no channels" in acme("channels", "list", "--tenant", "acme").out
    with mail_server("none", signs_in=False) as server:
        file = tmp_path / "channels.yaml"
        file.write_text(FILE.format(port=server.port))
        assert acme("rules", "import", str(file), *TENANT).exit_code == 0
        [listed] = acme("channels", "list", *TENANT).data["channels"]
        assert (listed["name"], listed["kind"], listed["active"]) == ("Night shift", "mail", False)

        tested = acme("channels", "test", listed["id"], *TENANT)
        assert (tested.exit_code, tested.data["result"]) == (0, "sent")
        assert "250 2.0.0 Queued as 4711" in tested.data["answer"]
        assert server.mails[0]["Subject"] == "Test message of Acme MSP"
        server.answers["DATA"] = "550 No such mail box"
        refused = acme("channels", "test", listed["id"], *TENANT)
    assert (refused.exit_code, refused.data["ok"]) == (1, False)
    assert "550 No such mail box" in refused.data["answer"]
    missing = acme("channels", "test", "4711", *TENANT)
    assert (missing.exit_code, missing.data["ok"]) == (1, False)
