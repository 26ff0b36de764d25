"""A demo that `running_portal` started: what it says of itself, and the mails that it sends."""

from __future__ import annotations

import time
import urllib.request

from tests.support.running import RunningPortal

MAIL_SECONDS = 60


def sign_in_of(portal: RunningPortal) -> tuple[str, str]:
    """Email address and password."""
    email = portal.wait_for("sign in as").split()[-1]
    password = portal.wait_for("password").split()[-1]
    return email, password


def server_of(portal: RunningPortal) -> str:
    """The address of its simulated Tactical server."""
    return portal.wait_for("simulated Tactical server is at").split()[-6].rstrip(",")


def mail_box_of(portal: RunningPortal) -> str:
    """The address of its page."""
    return portal.wait_for("mails that the portal sends are at").split()[-1].rstrip(".")


def wait_for_a_mail(box: str) -> str:
    """The page of the first one."""
    give_up = time.monotonic() + MAIL_SECONDS
    while b'href="/1"' not in read(f"{box}/"):
        assert time.monotonic() < give_up, "No mail came."
        time.sleep(0.1)
    return read(f"{box}/1").decode()


def read(url: str) -> bytes:
    with urllib.request.urlopen(url) as answer:  # noqa: S310
        content: bytes = answer.read()
        return content
